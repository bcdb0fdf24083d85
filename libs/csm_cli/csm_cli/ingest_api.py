"""Ingest's REST API as commands ask it: addressed by options or by the running stack, errors told in one sentence."""

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from csm_cli.stack.home import Home
from csm_common.errors import InvalidError, PermanentError, TransientError

HomeOption = Annotated[Path, typer.Option("--home", help="Home of the stack to ask.")]
UrlOption = Annotated[str | None, typer.Option("--url", help="Ingest's address, in place of --home.")]
KeyOption = Annotated[
    str | None, typer.Option("--key", envvar="CSM_API_KEY", help="An API key, in place of the stack's.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON, for programs.")]

_TIMEOUT_S = 60.0
_PAGE = 100
_HINTS = {
    401: " Give a valid API key.",
    403: " Make a key with the scopes ingest:read and ingest:write: `csm keys create`.",
}


class IngestApi:
    """Asks ingest at `url` with an API key."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url.rstrip("/")
        self._headers = {"authorization": f"Bearer {key}"}

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """The answer to a question; members of `query` that are None are left out. CsmError with the reason for any refusal."""
        asked = {name: value for name, value in query.items() if value is not None}
        return self._ask("GET", path, params=asked)

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a request."""
        return self._ask("POST", path, json=body)

    def rows(self, path: str, member: str, limit: int, **query: Any) -> list[dict[str, Any]]:
        """The first `limit` rows over all pages; `member` has them in the answer."""
        return list(islice(self._all_rows(path, member, min(limit, _PAGE), query), limit))

    def _all_rows(
        self, path: str, member: str, size: int, query: Mapping[str, Any]
    ) -> Iterator[dict[str, Any]]:
        cursor = None
        while True:
            page = self.get(path, limit=size, cursor=cursor, **query)
            yield from page[member]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def _ask(self, method: str, path: str, **how: Any) -> dict[str, Any]:
        # Here, for it takes a while that no other command pays.
        import httpx

        try:
            answer = httpx.request(method, self._url + path, headers=self._headers, timeout=_TIMEOUT_S, **how)
        except httpx.TransportError as error:
            raise TransientError(f"Ingest at {self._url} does not answer: {error or error!r}.") from error
        if answer.is_success:
            found: dict[str, Any] = answer.json()
            return found
        told = _told(answer.text)
        hint = _HINTS.get(answer.status_code, "")
        raise PermanentError(f"Ingest at {self._url} answered {answer.status_code}: {told}{hint}")


def ingest_api(home: Path, url: str | None, key: str | None) -> IngestApi:
    """Ingest as the options name it, else that of the stack; InvalidError when there is none."""
    if url:
        if not key:
            raise InvalidError("Give an API key with --key or CSM_API_KEY; --url names the address only.")
        return IngestApi(url, key)
    file = Home(home).stack_file
    try:
        stack = json.loads(file.read_text(encoding="utf-8"))
        return IngestApi(stack["ingest"]["url"], key or stack["api_key"])
    except FileNotFoundError:
        raise InvalidError(
            f"No stack runs on {home}: start one with `csm up`, or give --url and --key."
        ) from None
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidError(f"{file} does not tell where ingest is: {error!r}.") from error


def _told(body: str) -> str:
    try:
        return str(json.loads(body)["message"])
    except (KeyError, TypeError, ValueError):
        return "it gave no reason."
