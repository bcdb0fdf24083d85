"""Where an import goes: ingest's address and a key, from the options or from the description of a running stack."""

import json
from dataclasses import dataclass
from typing import Any

from csm_cli.importing.options import Options
from csm_common.errors import InvalidError


@dataclass(frozen=True, slots=True)
class Target:
    """Ingest's address and an API key with the scope events:write. `name` tells targets apart: a stack stays the same
    when it comes back on another port."""

    url: str
    key: str
    name: str


def find_target(options: Options) -> Target:
    """The target; InvalidError when the options do not tell and no stack runs."""
    if options.url:
        if not options.key:
            raise InvalidError("Give an API key with --key or CSM_API_KEY; --url names the address only.")
        return Target(options.url, options.key, options.url)
    try:
        ingest: dict[str, Any] = json.loads(options.stack.read_text(encoding="utf-8"))["ingest"]
        return Target(ingest["url"], options.key or ingest["write_key"], str(options.stack.absolute()))
    except FileNotFoundError as error:
        raise InvalidError(
            f"No stack runs here: there is no {options.stack}. Start one with `csm up`, or give --url and --key."
        ) from error
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidError(f"{options.stack} does not tell where ingest is: {error!r}.") from error
