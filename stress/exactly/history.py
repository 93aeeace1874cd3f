"""A history: the steps of a test as plain data that can be printed and replayed."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeAlias

from invsyncd.sandbox.faults import Kind
from tests.support.world import SERVERS

UNDECIDED = ("repeated keys evaluated again", "keys ignored")
PARTIAL = "good rows applied all the same"
DUPLICATED = "duplicated"
NEVER_HANDLED = (Kind.THROTTLED, Kind.TOO_MANY, Kind.ERROR_BEFORE, DUPLICATED)


@dataclass(frozen=True)
class Setting:
    """The kind of world. `shuffle` seeds the order of tasks, `dice` keys and jitter."""

    server: str = "as documented"
    places: int = 4
    items: int = 2
    first: int = 20
    lag_s: float = 0.0
    replica_s: float = 0.0
    in_flight_s: float = 0.0
    page_rows: int = 250
    overlap_s: float = 120.0
    shuffle: int | None = None
    dice: int = 1
    lossy: bool = True
    replica_share: float = 1.0
    created_late_s: int = 0

    @property
    def looks_far_in_bulk(self) -> bool:
        """Whether everything that is made for much, is done for little."""
        return self.page_rows == 1

    @property
    def orders_only(self) -> bool:
        """Whether keys say nothing of an attempt whose answer was lost, and answers are lost.

        There an attempt is judged by its levels: of 5 → 3 the answer is lost, 2 are sold at the
        till, 1 is shown. Was it applied? Nobody can say: 4 may have been sold. So such servers
        either lose nothing, or only orders come meanwhile, which `committed` shows.
        """
        return self.server in UNDECIDED and self.lossy

    @property
    def may_lose(self) -> bool:
        """Whether answers to writes may be lost, and passes killed.

        Not where good rows of a refused call are applied: a repeated key then answers that the
        first call failed, and nobody says which of its rows were applied all the same.
        """
        return self.server != PARTIAL and (self.server not in UNDECIDED or self.lossy)

    def lets(self, act: Act, *, inside: bool) -> bool:
        """Whether this act leaves everything decidable."""
        return (
            not self.orders_only or act.what == "online" or (not inside and act.what not in COMMON)
        )

    def with_late_replicas(self) -> Setting:
        """The same world where half of all answers are up to 4 s late, wherever they are read."""
        return replace(self, replica_s=4, replica_share=0.5, created_late_s=1)

    def spares_writes(self, kind: str) -> bool:
        """Whether this fault may not strike a write."""
        harmless = NEVER_HANDLED if self.server == PARTIAL else (Kind.THROTTLED, DUPLICATED)
        return not self.may_lose and kind not in harmless


class Act(NamedTuple):
    """Somebody in the shop does something to one item at one place."""

    what: str
    item: int = 0
    place: int = 0
    units: int = 1


class Pass(NamedTuple):
    """One pass. Events are requests before and after their handling, and statements to SQLite.

    `acts` happen at the numbered event of the pass; at event `kill` it is cut off, and where
    `crash` says so, all that was not yet committed by then is gone.
    """

    acts: tuple[tuple[int, Act], ...] = ()
    kill: int = 0
    crash: bool = False


class Trouble(NamedTuple):
    """Faults to come, on one side, for one operation."""

    side: str
    kind: str
    times: int = 1
    match: str = ""


class Wait(NamedTuple):
    """Time without a pass."""

    seconds: float


class Plain(NamedTuple):
    """`restart` invsyncd, let both sides be `well` again, or come to `rest`."""

    what: str


Step: TypeAlias = Act | Pass | Trouble | Wait | Plain
History: TypeAlias = list[Step]

COMMON = ("online", "online", "till", "till", "cancel", "fulfil")
EXCLUSIVE = ("receive", "count", "transfer", "import")
RARE = ("activate", "deactivate", "tracked", "policy", "type")
NOT_PLAYED = {Kind.UNAUTHORISED, Kind.UNPAID, Kind.FORBIDDEN, Kind.LOCKED, Kind.DENIED}
"""These stop a side until somebody acts; what they leave behind is nothing."""
NEW = {Kind.CONFLICT_AFTER}  # would change the histories that were recorded by their seeds
KINDS = (*(k.value for k in Kind if k not in NOT_PLAYED | NEW), DUPLICATED)
MATCHES = (
    "",
    "Poll",
    "ListLevels",
    "ReadLevels",
    "ReadItems",
    "SetQuantities",
    "SetQuantities",
    "Catalogue",
)
WAITS = (0.3, 1, 2, 5, 20, 60, 200, 1500)
EVENTS_MAX = 120


def a_setting(dice: random.Random) -> Setting:
    """Draw a world; half of them are calm in one way or another."""
    setting = Setting(
        server=dice.choice(list(SERVERS)),
        places=dice.randint(2, 4),
        items=dice.randint(1, 3),
        first=dice.choice((0, 5, 20, 100)),
        lag_s=dice.choice((0, 0, 0, 10, 60)),
        replica_s=dice.choice((0, 0, 0, 0, 5, 20)),
        in_flight_s=dice.choice((0, 0, 0, 5)),
        page_rows=dice.choice((250, 1, 2)),
        shuffle=dice.choice((None, dice.getrandbits(32))),
        dice=dice.getrandbits(32),
        lossy=dice.choice((True, False)),
    )
    if random.Random(setting.dice).random() < 0.4:  # draws nothing from the dice of the history
        setting = setting.with_late_replicas()
    return setting


def an_act(dice: random.Random) -> Act:
    """Draw what somebody does."""
    kinds = dice.choices((COMMON, EXCLUSIVE, RARE), (12, 5, 2))[0]
    what = dice.choice(kinds)
    units = dice.randint(0, 60) if what in ("count", "import") else dice.randint(1, 4)
    return Act(what, dice.randrange(3), dice.randrange(4), units)


def a_pass(dice: random.Random) -> Pass:
    """Draw a pass, with what happens inside."""
    count = dice.choice((0, 0, 1, 1, 2, 4))
    acts = sorted((dice.randint(1, EVENTS_MAX), an_act(dice)) for _ in range(count))
    kill = dice.randint(1, EVENTS_MAX) if dice.random() < 0.15 else 0
    return Pass(tuple(acts), kill, dice.random() < 0.5)


def a_trouble(dice: random.Random) -> Trouble:
    """Draw faults to come."""
    side = dice.choice(("shopify", "shopify", "shopify", "tiktok"))
    match = dice.choice(MATCHES) if side == "shopify" else ""
    return Trouble(side, dice.choice(KINDS), dice.choice((1, 1, 2, 4, 12)), match)


def a_step(dice: random.Random) -> Step:
    """Draw one step."""
    drawn = dice.random()
    if drawn < 0.40:
        return an_act(dice)
    if drawn < 0.80:
        return a_pass(dice)
    if drawn < 0.90:
        return a_trouble(dice)
    if drawn < 0.94:
        return Wait(dice.choice(WAITS))
    return Plain(dice.choice(("restart", "well", "rest")))


def drawn(seed: int, steps: int = 40) -> tuple[Setting, History]:
    """The history with this seed."""
    dice = random.Random(seed)
    return a_setting(dice), [a_step(dice) for _ in range(dice.randint(5, steps))]


def told(setting: Setting, history: History) -> str:
    """A history as Python, to paste into a test."""
    default: dict[str, Any] = vars(Setting())
    said = ", ".join(f"{k}={v!r}" for k, v in vars(setting).items() if v != default[k])
    lines = "".join(f"    {step!r},\n" for step in history)
    return f"Setting({said}),\n[\n{lines}]"
