"""Reading a request's body without letting it grow beyond the limit."""

from starlette.requests import Request

from csm_common.errors import TooLargeError


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body; TooLargeError as soon as it is known to be longer than `limit` bytes."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        chunks.append(chunk)
    return b"".join(chunks)


def _too_large(limit: int) -> TooLargeError:
    return TooLargeError(f"The body is larger than {limit} bytes, which is the most that is taken here.")
