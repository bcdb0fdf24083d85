"""What tests do to a running server of the embedded stack."""

from csm_cli.stack.server import Server


def restart(server: Server) -> None:
    """End the server and start it again on the same port and files; blocks until it serves."""
    server.child.stop()
    server.child.spawn()
    server.child.wait_ready()
