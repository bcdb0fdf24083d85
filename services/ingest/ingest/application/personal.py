"""The section `personal_data` of the configuration, and the rules made from it together with what the contracts say."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Annotated, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from csm_common.contracts.facts import FACTS, ContactChanged
from csm_common.errors import InvalidError
from ingest.application.contacts import CONTACT_CHANGED
from ingest.domain.personal import PERSONAL, Action, PersonalData, Rule, Shape

SHORTEST_SECRET = 16

FieldName = Annotated[
    str,
    StringConstraints(pattern=r"^[^.\s]([^.]*[^.\s])?(\.[^.]+)*$", max_length=200),
]


class PersonalDataRule(BaseModel):
    """One rule: `field` is a name at any depth, or with dots a path from the top of the data."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    field: FieldName
    action: Action
    types: tuple[str, ...] = Field(default=(), description="Event types; all where there are none.")


class PersonalDataRules(BaseModel):
    """What becomes of fields with personal data, before anything is published."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rules: tuple[PersonalDataRule, ...] = ()
    defaults: bool = Field(
        default=True, description="Whether what is obviously personal by its name is dropped."
    )
    salt_env: str | None = Field(
        default=None,
        min_length=1,
        description="The environment variable with the secret that keys the hashes.",
    )

    @model_validator(mode="after")
    def _hashes_have_a_secret(self) -> "PersonalDataRules":
        place = next((number for number, rule in enumerate(self.rules) if rule.action == "hash"), None)
        if place is not None and self.salt_env is None:
            raise ValueError(
                f"rules.{place} hashes: name in salt_env the environment variable that holds the secret to hash with."
            )
        return self


def personal_data(
    settings: PersonalDataRules | None = None, environment: Mapping[str, str] | None = None
) -> PersonalData:
    """The rules of the section. InvalidError where the secret is not in the environment, or is too short to be one."""
    settings = settings or PersonalDataRules()
    rules = [Rule(field=each.field, action=each.action, types=each.types) for each in settings.rules]
    return PersonalData(
        rules,
        secret=_secret(settings.salt_env, environment or {}),
        defaults=PERSONAL if settings.defaults else (),
        shapes=SHAPES,
    )


def _secret(name: str | None, environment: Mapping[str, str]) -> bytes | None:
    if name is None:
        return None
    secret = environment.get(name, "")
    if len(secret) < SHORTEST_SECRET:
        found = f"has {len(secret)} characters" if secret else "is not set"
        raise InvalidError(
            f"personal_data.salt_env names {name}, which {found}: set it to a secret of at least {SHORTEST_SECRET}"
            " characters, and never change it, or equal values will no longer hash alike.",
            code="invalid_config",
        )
    return secret.encode()


def _plain_fields(shape: type) -> frozenset[str]:
    """The fields that hold no object and no array: data of another shape is refused, so nothing is nested in them."""
    hints = get_type_hints(shape)
    return frozenset(name for name, hint in hints.items() if not _nests(hint))


def _nests(hint: object) -> bool:
    return any(word in str(hint) for word in ("dict", "list"))


SHAPES = {name: Shape(plain=_plain_fields(shape)) for name, shape in FACTS.items()}
# A contact's details are on the contacts' topic: of its fact nothing is left but what the contract names.
SHAPES[CONTACT_CHANGED] = Shape(
    plain=_plain_fields(ContactChanged), closed=frozenset(each.name for each in fields(ContactChanged))
)
