"""The HTTP door for suppressions: who is not written to and why, by ids. Addresses come in, and never go out."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from msgspec import Meta
from pydantic import BaseModel, ConfigDict, Field, model_validator

from csm_common.clock import Clock
from csm_common.errors import NotFoundError
from csm_common.ids import derived_id
from csm_common.web.auth import require
from csm_common.web.pages import decode_cursor, encode_cursor
from notifier.application.ports import OpenWork, PersonOf, Work
from notifier.domain.policy import Reason, Suppression
from notifier.entrypoints import outcome_examples as examples
from notifier.entrypoints.outcome_examples import example

_NO_NUL = r"^[^\x00]*$"
_TEXT = r"^[^\x00]*[^\s\x00][^\x00]*$"
_Wanted = Annotated[str | None, Query(max_length=500, pattern=_NO_NUL)]
_Id = Annotated[str, Path(max_length=500, pattern=_NO_NUL)]
_Name = Annotated[str, Field(min_length=1, max_length=500, pattern=_TEXT)]
_Time = Annotated[datetime, Meta(tz=True)]
_Key = Annotated[str, Meta(pattern=_NO_NUL)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressionView:
    """One in force. `category` None is all of them; the ids tell whom it came of, where that is known."""

    id: str
    category: str | None
    reason: Reason
    since: datetime
    account_id: str | None
    contact_id: str | None
    notification_id: str | None
    note: str | None


@dataclass(frozen=True, slots=True)
class SuppressionPage:
    """Some of those in force, newest first; `next_cursor` leads to older ones and is None at the end."""

    suppressions: Sequence[SuppressionView]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class SuppressionsFound:
    """All that are in force for somebody."""

    suppressions: Sequence[SuppressionView]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Suppress(_Body):
    """Whom not to write to: a contact of an account, or an address. The address is not stored, and in no answer."""

    account_id: _Name | None = None
    contact_id: _Name | None = None
    address: _Name | None = Field(default=None, description="A mail address, or a chat handle.")
    category: _Name | None = Field(
        default=None, description="Of this alone; of everything where it is left out."
    )
    note: Annotated[str, Field(max_length=500, pattern=_NO_NUL)] | None = Field(
        default=None, description="Why. No personal data: it is stored and shown."
    )

    @model_validator(mode="after")
    def _one_way(self) -> "Suppress":
        if (self.address is None) == (self.contact_id is None):
            raise ValueError("name either account_id and contact_id, or an address")
        if self.contact_id is not None and self.account_id is None:
            raise ValueError("a contact_id needs its account_id")
        return self


class LookUp(_Body):
    """Whose suppressions are wanted."""

    address: _Name


def suppression_routes(open_work: OpenWork, person_of: PersonOf, clock: Clock) -> APIRouter:
    """/v1/suppressions."""
    router = APIRouter(prefix="/v1/suppressions", tags=["suppressions"])
    _add_reads(router, open_work)
    _add_writes(router, open_work, person_of, clock)
    _add_look_up(open_work, person_of, router)
    return router


def _add_reads(router: APIRouter, open_work: OpenWork) -> None:
    @router.get(
        "",
        summary="Suppressions in force, newest first",
        dependencies=[Depends(require("notifications:read"))],
        responses=example(examples.SUPPRESSION_PAGE),
    )
    async def suppressions(
        account: _Wanted = None,
        contact: _Wanted = None,
        category: _Wanted = None,
        reason: Annotated[Reason | None, Query()] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        cursor: str | None = None,
    ) -> SuppressionPage:
        """Of one account, contact, category or reason if asked. Each counts for the person wherever they are a contact."""
        before = decode_cursor(cursor, tuple[_Time, _Key]) if cursor else None
        async with open_work() as work:
            found = await work.suppressions.page(
                account, reason, before, limit + 1, contact_id=contact, category=category
            )
        items, more = found[:limit], len(found) > limit
        return SuppressionPage(_views(items), encode_cursor(items[-1].since, items[-1].id) if more else None)


def _add_writes(router: APIRouter, open_work: OpenWork, person_of: PersonOf, clock: Clock) -> None:
    may_write = [Depends(require("notifications:write"))]

    @router.post(
        "",
        summary="Write to somebody no more",
        status_code=201,
        dependencies=may_write,
        responses=example(examples.BY_HAND, 201),
    )
    async def suppress(body: Suppress) -> SuppressionsFound:
        """In force with the answer, which tells all that is: a contact may have a mail address and a chat handle."""
        now = clock.now()
        async with open_work() as work:
            persons = sorted({person_of(each) for each in await _addresses(work, body)})
            await work.history.lock(persons, ())
            await work.suppressions.add([_by_hand(body, each, now) for each in persons])
            return SuppressionsFound(await _in_force(work, persons))

    @router.delete("/{suppression_id}", summary="Lift one", status_code=204, dependencies=may_write)
    async def lift(suppression_id: _Id) -> None:
        """Whatever its reason. Lift a person's own word only where they asked for it."""
        async with open_work() as work:
            if not await work.suppressions.remove(suppression_id, clock.now()):
                raise NotFoundError(
                    f"There is no suppression {suppression_id!r} in force; GET /v1/suppressions lists them."
                )


def _add_look_up(open_work: OpenWork, person_of: PersonOf, router: APIRouter) -> None:
    @router.post(
        ":lookup",
        summary="What is in force for an address",
        dependencies=[Depends(require("notifications:read"))],
        responses=example(examples.FOUND),
    )
    async def look_up(body: LookUp) -> SuppressionsFound:
        """In the body, so that the address is in no log of addresses."""
        async with open_work() as work:
            return SuppressionsFound(await _in_force(work, [person_of(body.address)]))


async def _addresses(work: Work, body: Suppress) -> Sequence[str]:
    """The ways to the person; NotFoundError where a contact is unknown or has none."""
    if body.address is not None:
        return [body.address]
    contacts = (await work.directory.of_accounts([body.account_id or ""])).get(body.account_id or "", ())
    ways = [
        way
        for each in contacts
        if each.contact_id == body.contact_id
        for way in (each.email, each.chat_handle)
    ]
    found = [each for each in ways if each]
    if not found:
        raise NotFoundError(
            f"The account {body.account_id!r} has no contact {body.contact_id!r} with an address; suppress the address instead."
        )
    return found


async def _in_force(work: Work, persons: Sequence[str]) -> Sequence[SuppressionView]:
    found = await work.suppressions.of(persons)
    return _views([each for person in persons for each in found.get(person, ())])


def _by_hand(body: Suppress, person: str, now: datetime) -> Suppression:
    return Suppression(
        id=derived_id("suppression", "manual", person, body.category or "", now.isoformat()),
        person=person,
        category=body.category,
        reason="manual",
        since=now,
        account_id=body.account_id,
        contact_id=body.contact_id,
        note=body.note,
    )


def _views(found: Sequence[Suppression]) -> list[SuppressionView]:
    """Without the pseudonym, which nobody needs to know."""
    shown = ({name: value for name, value in asdict(each).items() if name != "person"} for each in found)
    return [SuppressionView(**each) for each in shown]
