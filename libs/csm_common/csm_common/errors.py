"""The one exception tree: handlers raise, edges interpret.

    CsmError
    ├── PermanentError      the input is at fault: 4xx over HTTP, dead letter on Kafka; a retry cannot help
    │   ├── InvalidError        400
    │   ├── UnauthenticatedError 401
    │   ├── ForbiddenError      403
    │   ├── NotFoundError       404
    │   ├── ConflictError       409
    │   └── TooLargeError       413
    ├── TransientError      the world is at fault: 503 over HTTP, pause and retry on Kafka
    │   └── RateLimitedError    429
    └── FatalError          this process must not go on: it ends, loudly, with one clear sentence

Anything else that is raised is a bug: 500 over HTTP, isolated and dead-lettered on Kafka.
"""

from typing import Any


class CsmError(Exception):
    """Base of all errors this product raises on purpose. `code` is for programs, the message for people."""

    code = "error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code


class PermanentError(CsmError):
    """Trying again with the same input cannot help."""

    code = "invalid"
    status = 400

    def __init__(self, message: str, *, code: str | None = None, **extra: Any) -> None:
        super().__init__(message, code=code)
        self.extra = extra  # further members of the problem document, e.g. errors=[…]


class InvalidError(PermanentError):
    """The input breaks a rule that the message names."""


class UnauthenticatedError(PermanentError):
    """No key, or one that is unknown, expired or revoked."""

    code = "unauthenticated"
    status = 401


class ForbiddenError(PermanentError):
    """A known key without the scope that is needed."""

    code = "forbidden"
    status = 403


class NotFoundError(PermanentError):
    """Nothing of that name."""

    code = "not_found"
    status = 404


class ConflictError(PermanentError):
    """The same identity with other content, or a state that forbids the action."""

    code = "conflict"
    status = 409


class TooLargeError(PermanentError):
    """More bytes or items than the stated limit."""

    code = "too_large"
    status = 413


class TransientError(CsmError):
    """Trying again later can help; `retry_after` is in seconds."""

    code = "unavailable"
    status = 503

    def __init__(self, message: str, *, code: str | None = None, retry_after: float = 1.0) -> None:
        super().__init__(message, code=code)
        self.retry_after = retry_after


class RateLimitedError(TransientError):
    """More than the sender may send in a while."""

    code = "rate_limited"
    status = 429


class FatalError(CsmError):
    """The process must end; its supervisor starts it anew, or an operator reads the sentence."""

    code = "fatal"
