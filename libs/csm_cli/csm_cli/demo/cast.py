"""Who is in the demo: twelve customers of a made-up software company, and the three people who look after them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Owner:
    """A CS manager, reached by mail."""

    id: str
    name: str

    @property
    def email(self) -> str:
        """An address in a domain that is reserved for examples."""
        return f"{self.id}@example.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A customer as the history leaves it.

    `uses_a_day` is on a working day, over all users; `last_use_days` is how many days ago the last one was (a fraction
    is kept to the second). `nps` 0…10, `csat` 1…5, `sentiment` 0…100; None was never asked. `open_tickets` are priorities
    of tickets that are open and escalated. `spare_seats` were bought beyond those used; None: this plan has no seats.
    """

    id: str
    name: str
    owner: Owner
    plan: str
    segment: str
    region: str
    arr: float
    renewal_in_days: int
    users: int
    uses_a_day: float
    last_use_days: float = 1
    nps: int | None = None
    csat: int | None = None
    sentiment: int | None = None
    open_tickets: tuple[str, ...] = ()
    last_invoice: str = "paid"
    attributes: tuple[tuple[str, str], ...] = ()
    spare_seats: int | None = 4


DANA = Owner("dana.reyes", "Dana Reyes")
MAREK = Owner("marek.novak", "Marek Novak")
INES = Owner("ines.duarte", "Ines Duarte")

SILENCE_AFTER_S = 40
"""How long after the history is loaded the silent account becomes at risk, with no event at all."""

SILENT_FOR_DAYS = 12 + 13 / 24 - SILENCE_AFTER_S / 86_400
"""How long an account that is judged by its use alone, and used the product much, has been silent by then.

By the shipped scorecard: volume still gives 25 of 100, so recency (three quarters) must fall to 33⅓ for the score to
fall below 50; its curve passes there 12 days and 13 hours after the last use.
"""

HARBOR = Account(
    id="harbor-logistics", name="Harbor Logistics", owner=DANA, plan="enterprise", segment="enterprise", region="EU",
    arr=184_000, renewal_in_days=210, users=24, uses_a_day=18, nps=9, csat=5, sentiment=85,
)  # fmt: skip
BLUEPEAK = Account(
    id="bluepeak-analytics", name="Bluepeak Analytics", owner=DANA, plan="enterprise", segment="enterprise", region="US",
    arr=132_000, renewal_in_days=64, users=14, uses_a_day=7, last_use_days=8, nps=8, csat=4, sentiment=70,
)  # fmt: skip
FABLE = Account(
    id="fable-freight", name="Fable Freight", owner=MAREK, plan="team", segment="business", region="EU",
    arr=26_400, renewal_in_days=120, users=9, uses_a_day=14, last_use_days=SILENT_FOR_DAYS, last_invoice="",
    spare_seats=None,
)  # fmt: skip
CINDER = Account(
    id="cinder-foods", name="Cinder Foods", owner=INES, plan="business", segment="business", region="US",
    arr=58_000, renewal_in_days=38, users=8, uses_a_day=3, last_use_days=16, nps=7, csat=3, sentiment=60,
)  # fmt: skip
ORCHARD = Account(
    id="orchard-health", name="Orchard Health", owner=MAREK, plan="business", segment="business", region="UK",
    arr=71_500, renewal_in_days=95, users=11, uses_a_day=4, last_use_days=9, nps=3, csat=3, sentiment=35,
    open_tickets=("urgent", "high"), last_invoice="failed",
)  # fmt: skip
LUMEN = Account(
    id="lumen-studio", name="Lumen Studio", owner=INES, plan="team", segment="startup", region="EU",
    arr=18_000, renewal_in_days=150, users=5, uses_a_day=2, last_use_days=15, nps=5, csat=4, sentiment=45,
    open_tickets=("urgent",),
)  # fmt: skip
TANDEM = Account(
    id="tandem-bank", name="Tandem Bank", owner=DANA, plan="enterprise", segment="enterprise", region="EU",
    arr=240_000, renewal_in_days=300, users=30, uses_a_day=22, nps=9, csat=4, sentiment=80,
)  # fmt: skip
QUILL = Account(
    id="quill-press", name="Quill Press", owner=MAREK, plan="team", segment="business", region="US",
    arr=21_600, renewal_in_days=85, users=6, uses_a_day=5, nps=10, csat=5, sentiment=90,
)  # fmt: skip
MERIDIAN = Account(
    id="meridian-energy", name="Meridian Energy", owner=INES, plan="enterprise", segment="enterprise", region="EU",
    arr=156_000, renewal_in_days=180, users=18, uses_a_day=12, nps=8, csat=4, sentiment=75,
)  # fmt: skip
SPARROW = Account(
    id="sparrow-games", name="Sparrow Games", owner=MAREK, plan="business", segment="startup", region="APAC",
    arr=44_000, renewal_in_days=240, users=12, uses_a_day=9, nps=7, csat=4, sentiment=65,
)  # fmt: skip
PIVOT = Account(
    id="pivot-education", name="Pivot Education", owner=INES, plan="business", segment="public", region="UK",
    arr=39_000, renewal_in_days=30, users=10, uses_a_day=6, last_use_days=6, nps=4, csat=2, sentiment=40,
)  # fmt: skip
ZEPHYR = Account(
    id="zephyr-rail", name="Zephyr Rail", owner=DANA, plan="enterprise", segment="public", region="EU",
    arr=98_000, renewal_in_days=400, users=16, uses_a_day=10, nps=8, csat=5, sentiment=72,
)  # fmt: skip

CAST = (
    HARBOR, BLUEPEAK, FABLE, CINDER, ORCHARD, LUMEN, TANDEM, QUILL, MERIDIAN, SPARROW, PIVOT, ZEPHYR,
)  # fmt: skip
