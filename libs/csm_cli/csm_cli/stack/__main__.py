"""A detached supervisor: `python -m csm_cli.stack`, its options as JSON on standard input."""

import sys

from rich.console import Console

from csm_cli.stack.detach import detach_output
from csm_cli.stack.options import Options
from csm_cli.stack.progress import Progress
from csm_cli.stack.session import run_stack
from csm_common.errors import CsmError


def main() -> None:
    """Run the stack that standard input describes; one sentence and exit code 1 when it cannot."""
    options = Options.from_json(sys.stdin.read())
    try:
        run_stack(options, Progress(Console()), lambda: detach_output(options.home))
    except CsmError as error:
        sys.exit(error.message)


if __name__ == "__main__":
    main()
