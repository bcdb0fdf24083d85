"""Who is behind a change: a key, and the person it speaks for where it names one. The audit and the notes keep both."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """`key` is the system that asked, as its API key names it; `person` the id of the contact it asked for."""

    key: str
    person: str | None = None

    @property
    def name(self) -> str:
        """Who holds what is claimed: the person's id, or the key where nobody is named."""
        return self.person or f"key:{self.key}"

    def __str__(self) -> str:
        """As the audit has it: `key:console`, or `person:ana via key:console`."""
        return f"person:{self.person} via key:{self.key}" if self.person else f"key:{self.key}"
