"""Errors as problem documents (RFC 9457) with a string `code` for programs and a `message` for people."""

from typing import Any

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Match

from csm_common.errors import PermanentError, TransientError
from csm_common.telemetry.logs import get_logger

log = get_logger(__name__)

_CODES = {404: "not_found", 405: "method_not_allowed", 415: "unsupported_media_type"}


def problem(
    status: int, code: str, message: str, *, headers: dict[str, str] | None = None, **extra: Any
) -> Response:
    """The answer for an error. `detail` repeats the message for readers of plain RFC 9457."""
    body = {
        "type": f"urn:csm:problem:{code}",
        "title": code.replace("_", " "),
        "status": status,
        "detail": message,
    }
    return Response(
        msgspec.json.encode(body | {"code": code, "message": message} | extra),
        status_code=status,
        media_type="application/problem+json",
        headers=headers,
    )


def permanent_problem(error: PermanentError) -> Response:
    """4xx."""
    headers = {"WWW-Authenticate": 'Bearer realm="csm"'} if error.status == 401 else None
    return problem(error.status, error.code, error.message, headers=headers, **error.extra)


def transient_problem(error: TransientError) -> Response:
    """503 or 429, with the time after which trying again makes sense."""
    headers = {"Retry-After": str(max(1, round(error.retry_after)))}
    return problem(error.status, error.code, error.message, headers=headers)


def bug_problem(error: Exception) -> Response:
    """500; the cause is in the log, not in the answer."""
    log.error("unhandled error in a request", exc_info=error)
    return problem(500, "internal_error", "Something is wrong on our side; it has been logged.")


def problem_of(error: Exception) -> Response:
    """The answer for whatever a handler raised, for routes that answer their errors themselves."""
    if isinstance(error, PermanentError):
        return permanent_problem(error)
    return transient_problem(error) if isinstance(error, TransientError) else bug_problem(error)


def _methods(app: FastAPI, request: Request) -> set[str]:
    """All methods of a path, which may have a route for each: Starlette tells only those of the first."""
    routes = (each for each in app.router.routes if each.matches(request.scope)[0] is not Match.NONE)
    return {method for each in routes for method in getattr(each, "methods", None) or ()}


def install_problem_handlers(app: FastAPI) -> None:
    """Make every error of the app a problem document."""

    @app.exception_handler(PermanentError)
    async def _permanent(_: Request, error: PermanentError) -> Response:
        return permanent_problem(error)

    @app.exception_handler(TransientError)
    async def _transient(_: Request, error: TransientError) -> Response:
        return transient_problem(error)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: RequestValidationError) -> Response:
        errors = [{"at": ".".join(map(str, each["loc"])), "message": each["msg"]} for each in error.errors()]
        first = errors[0]
        return problem(422, "invalid", f"{first['at']}: {first['message']}", errors=errors)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        code = _CODES.get(error.status_code, "http_error")
        headers = dict(error.headers or {})
        if error.status_code == 405:
            headers["Allow"] = ", ".join(sorted(_methods(app, request)))
        return problem(error.status_code, code, str(error.detail), headers=headers)

    @app.exception_handler(ClientDisconnect)
    async def _gone(_: Request, __: ClientDisconnect) -> Response:
        return problem(400, "disconnected", "The connection ended before the whole request had arrived.")

    @app.exception_handler(Exception)
    async def _bug(_: Request, error: Exception) -> Response:
        return bug_problem(error)
