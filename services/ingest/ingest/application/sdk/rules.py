"""What SDK messages become: the `sdk` section of the configuration, tried before the rules that come with the service."""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Annotated

import yaml
from pydantic import Field

from csm_common.mapping.columns import JsonColumns
from csm_common.mapping.conditions import Holds, compile_condition
from csm_common.mapping.conversions import Times
from csm_common.mapping.facts import CompiledFact, compile_fact
from csm_common.mapping.language import Condition, Fact, MappingModel, Names, Value
from csm_common.mapping.values import compile_value
from ingest.application.sdk.fields import Message

_COLUMNS = JsonColumns()
_TIMES = Times()


class SdkConfig(MappingModel):
    """How messages of SDKs are read.

    `account`: where a message tells its account, the first that is there. `account_groups`: which of PostHog's group types
    is the account, the best first. `ignore`: messages left out on purpose. `facts`: what messages become, the first whose
    `when` holds.
    """

    account: Names | None = None
    account_groups: Names | None = None
    ignore: list[Annotated[Condition, Field(min_length=1)]] = Field([])
    facts: list[Fact] = Field([])


IGNORED = CompiledFact(None, "ignored", lambda _: {})
"""Chosen for a message that is left out on purpose."""


class Rules:
    """Compiled once; a message then costs a few calls. Its methods raise RejectedRowError for a message at fault."""

    def __init__(self, config: SdkConfig) -> None:
        shipped = shipped_config()
        self.account_groups: Sequence[str] = config.account_groups or shipped.account_groups or ()
        account = Value(column=config.account or shipped.account)
        self._account = compile_value(account, _COLUMNS, kind="keep", times=_TIMES)
        self._chain = [*_compiled(config), *_compiled(shipped)]

    def account(self, message: Message) -> object:
        """What the message tells of its account, None where that is nothing."""
        return self._account(message)

    def choose(self, message: Message) -> CompiledFact | None:
        """What the message becomes: a fact, IGNORED, or None where no rule speaks of it."""
        return next((chosen for holds, chosen in self._chain if holds is None or holds(message)), None)


@cache
def shipped_config() -> SdkConfig:
    """The rules that come with the service."""
    text = (files("ingest") / "mappings" / "sdk.yaml").read_text(encoding="utf-8")
    return SdkConfig.model_validate(yaml.safe_load(text))


def _compiled(config: SdkConfig) -> list[tuple[Holds | None, CompiledFact]]:
    facts = [compile_fact(each, _COLUMNS, _TIMES) for each in config.facts]
    ignored = [(compile_condition(each, _COLUMNS), IGNORED) for each in config.ignore]
    return [*ignored, *((each.when, each) for each in facts)]
