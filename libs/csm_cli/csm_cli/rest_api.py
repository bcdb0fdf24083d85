"""A service's REST API as commands ask it: addressed by options or by the running stack, errors told in one sentence."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from csm_cli.stack.description import running
from csm_cli.stack.home import Home
from csm_common.errors import InvalidError, PermanentError, TransientError

HomeOption = Annotated[Path, typer.Option("--home", help="Home of the stack to ask.")]
UrlOption = Annotated[str | None, typer.Option("--url", help="The service's address, in place of --home.")]
KeyOption = Annotated[
    str | None, typer.Option("--key", envvar="CSM_API_KEY", help="An API key, in place of the stack's.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON, for programs.")]
LimitOption = Annotated[int, typer.Option(min=1, help="How many at most.")]

_TIMEOUT_S = 60.0
_PAGE = 100


@dataclass(frozen=True, slots=True)
class Service:
    """Which service: its title in sentences, its member of stack.json, and the scopes its commands need."""

    title: str
    member: str
    scopes: str


INGEST = Service("Ingest", "ingest", "ingest:read and ingest:write")
HEALTH = Service("Health-score", "health_score", "health:read and scorecards:write")
PLAYBOOKS = Service("Playbooks", "playbooks", "playbooks:read and playbooks:write")
NOTIFIER = Service("Notifier", "notifier", "notifications:read and notifications:write")


class RestApi:
    """Asks a service at `url` with an API key."""

    def __init__(self, service: Service, url: str, key: str) -> None:
        self._service = service
        self._url = url.rstrip("/")
        self._headers = {"authorization": f"Bearer {key}"}

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """The answer to a question; members of `query` that are None are left out. CsmError with the reason for any refusal."""
        asked = {name: value for name, value in query.items() if value is not None}
        return self._ask("GET", path, params=asked)

    def text(self, path: str, **query: Any) -> str:
        """The answer as it is."""
        return str(self._answer("GET", path, params=query).text)

    def post(self, path: str, body: Mapping[str, Any], timeout_s: float = _TIMEOUT_S) -> dict[str, Any]:
        """The answer to a request."""
        return self._ask("POST", path, json=body, timeout=timeout_s)

    def delete(self, path: str) -> None:
        """Have it gone."""
        self._answer("DELETE", path)

    def send(self, path: str, document: bytes, media_type: str, **query: Any) -> dict[str, Any]:
        """The answer to a document."""
        return self._ask("POST", path, content=document, headers={"content-type": media_type}, params=query)

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
        found: dict[str, Any] = self._answer(method, path, **how).json()
        return found

    def _answer(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **how: Any) -> Any:
        # Here, for it takes a while that no other command pays.
        import httpx

        title = self._service.title
        sent = {**self._headers, **(headers or {})}
        try:
            answer = httpx.request(method, self._url + path, headers=sent, **{"timeout": _TIMEOUT_S, **how})
        except httpx.TransportError as error:
            raise TransientError(f"{title} at {self._url} does not answer: {error or error!r}.") from error
        if answer.is_success:
            return answer
        told = _told(answer.text)
        raise PermanentError(
            f"{title} at {self._url} answered {answer.status_code}: {told}{self._hint(answer.status_code)}"
        )

    def _hint(self, status: int) -> str:
        if status == 401:
            return " Give a valid API key."
        return (
            f" Make a key with the scopes {self._service.scopes}: `csm keys create`." if status == 403 else ""
        )


def rest_api(service: Service, home: Path, url: str | None, key: str | None) -> RestApi:
    """The service as the options name it, else that of the stack; InvalidError when there is none."""
    if url:
        if not key:
            raise InvalidError("Give an API key with --key or CSM_API_KEY; --url names the address only.")
        return RestApi(service, url, key)
    try:
        stack = running(home, instead="--url and --key")
        return RestApi(service, stack[service.member]["url"], key or stack["api_key"])
    except (KeyError, TypeError, ValueError) as error:
        file = Home(home).stack_file
        raise InvalidError(f"{file} does not tell where {service.title} is: {error!r}.") from error


def item_path(collection: str, id: str, missing: str) -> str:
    """The path of one item of a collection; InvalidError with the sentence `missing` where the id is empty."""
    if not id:
        raise InvalidError(missing)
    return f"{collection}/{quote(id, safe='')}"


def _told(body: str) -> str:
    try:
        return str(json.loads(body)["message"])
    except (KeyError, TypeError, ValueError):
        return "it gave no reason."


def media_type(file: Path) -> str:
    """Of a document that a person wrote: YAML unless the file says JSON."""
    return "application/json" if file.suffix == ".json" else "application/yaml"
