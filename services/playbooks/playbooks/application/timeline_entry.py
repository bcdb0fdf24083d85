"""The beginning of a run's story: the crossing, and every rule that let the account in."""

from collections.abc import Iterator

from playbooks.application.grounds import values_of
from playbooks.application.model import Known
from playbooks.application.moments import Moment
from playbooks.application.reads import RunStory
from playbooks.application.wording import (
    cause_told,
    counted,
    duration_told,
    entry_told,
    instant_told,
    parts_told,
)


def entry_moments(story: RunStory) -> Iterator[Moment]:
    """Why the run began, and whose place it took."""
    run, crossing = story.run, story.crossing
    reasons = (
        parts_told(crossing.parts),
        cause_told(crossing.cause),
        _audience(story),
        _once_per(story),
        _purpose(story),
        _holdout(story),
        _limit(story),
    )
    yield Moment(
        at=run.started_at,
        what="entered",
        told=entry_told(crossing),
        because=[each for each in reasons if each is not None],
        revision=crossing.snapshot.revision,
        values=values_of(story.definition.audience, Known(snapshot=crossing.snapshot)) or None,
        crossing_id=run.crossing_id,
        fact_ids=crossing.cause.fact_ids,
    )
    for other in story.replaced:
        yield Moment(
            at=run.started_at,
            what="superseded",
            told=f"It took the place of run {other.id} of {other.playbook}.",
            because=[
                f"Both serve {run.purpose}, and {run.playbook} has priority {run.priority},"
                f" {other.playbook} {other.priority}."
            ],
            ref=other.id,
            crossing_id=run.crossing_id,
        )


def _audience(story: RunStory) -> str:
    audience = story.definition.audience
    if audience == "true":
        return "The playbook is for every account."
    return f"The account is in the audience: {audience}."


def _once_per(story: RunStory) -> str | None:
    period = story.definition.entry.once_per
    if period is None:
        return None
    may = f"It may enter once per {duration_told(period)}"
    if story.last_entry is None:
        return f"{may}, and had not entered before."
    return f"{may}, and had last entered at {instant_told(story.last_entry)}."


def _purpose(story: RunStory) -> str:
    if story.replaced:
        return f"It outranks the run that served {story.run.purpose}."
    return f"The account had no other active run that serves {story.run.purpose}."


def _holdout(story: RunStory) -> str | None:
    holdout = story.definition.holdout
    if holdout is None:
        return None
    programme = holdout.programme or story.definition.name
    return f"It was drawn among the accounts of {programme} that are treated; {holdout.share * 100:g}% are held out."


def _limit(story: RunStory) -> str | None:
    limits = story.definition.limits
    if limits is None:
        return None
    return f"It was within the limit of {counted(limits.starts_per_hour, 'start')} in an hour."
