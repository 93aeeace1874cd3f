"""Compares the merge table with other rules: how often a pool is wrong after a pass.

Many days of one item at four locations are played, event by event, in the pure core, without
server or store. Every poll window begins with all levels at the truth. The events of the window
become changes, each rule makes a pool of them, and the pool is compared with the truth. So each
window is judged by itself, and an item-day is wrong if any of its windows was. If two counts of one
window contradict each other, the later one is the truth.

An event belongs as a whole to the window in which it begins: compare-and-set would find the rest.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import click
from rich.console import Console
from rich.table import Table

from benchmarks.merge_models import MODELS, verdict
from invsyncd.core.model import Change

LOCATIONS = 4
DAY_S = 12 * 3600.0  # a day of trade
SHOWN_MAX = 12


@dataclass
class Shelf:
    """One level in one window, as differences to its beginning. Stamps are seconds, from 1."""

    available: int
    committed: int = 0
    on_hand: int = 0
    incoming: int = 0
    counted_at: int = 0
    updated_at: int = 0


@dataclass
class Window:
    """What happens between two polls, from `truth` on."""

    truth: int
    shelves: list[Shelf] = field(init=False)
    names: list[str] = field(default_factory=list)
    dice: random.Random = field(default_factory=random.Random)
    at: float = 0.0

    def __post_init__(self) -> None:
        self.before = self.truth
        self.shelves = [Shelf(self.truth) for _ in range(LOCATIONS)]

    def move(
        self,
        place: int,
        available: int = 0,
        committed: int = 0,
        on_hand: int = 0,
        incoming: int = 0,
    ) -> None:
        """Move quantities of one level."""
        shelf = self.shelves[place]
        shelf.available += available
        shelf.committed += committed
        shelf.on_hand += on_hand
        shelf.incoming += incoming
        shelf.updated_at = 1 + int(self.at)
        if available:
            shelf.counted_at = shelf.updated_at

    def count(self, place: int, units: int) -> None:
        """Type a number at one level."""
        delta = units - self.shelves[place].available
        self.move(place, available=delta, on_hand=delta)

    def changes(self) -> tuple[Change, ...]:
        """What a poll finds."""
        return tuple(
            Change(
                place,
                self.before,
                shelf.available,
                committed=shelf.committed,
                incoming=shelf.incoming,
                apart=shelf.available - self.before + shelf.committed - shelf.on_hand,
                counted_at=shelf.counted_at,
                updated_at=shelf.updated_at,
            )
            for place, shelf in enumerate(self.shelves)
            if shelf.available != self.before
        )

    def place(self) -> int:
        """Some location."""
        return self.dice.randrange(LOCATIONS)

    def two(self) -> list[int]:
        """Two locations."""
        return self.dice.sample(range(LOCATIONS), 2)


def _few(w: Window) -> int:
    return w.dice.choices((1, 2, 3), (80, 15, 5))[0]


def _online(w: Window) -> None:
    units = _few(w)
    w.move(w.place(), available=-units, committed=units)
    w.truth -= units


def _till(w: Window) -> None:
    units = _few(w)
    w.move(w.place(), available=-units, on_hand=-units)
    w.truth -= units


def _cancelled(w: Window) -> None:
    units = _few(w)
    w.move(w.place(), available=units, committed=-units)
    w.truth += units


def _shipped(w: Window) -> None:
    units = _few(w)
    w.move(w.place(), committed=-units, on_hand=-units)


def _returned(w: Window) -> None:
    units = _few(w)
    w.move(w.place(), available=units, on_hand=units)
    w.truth += units


def _reassigned(w: Window) -> None:
    units, (source, destination) = _few(w), w.two()
    w.move(source, available=units, committed=-units)
    w.move(destination, available=-units, committed=units)


def _announced(w: Window) -> None:
    units = w.dice.randint(5, 60)
    rejected = w.dice.choice((0, 0, 0, 2))
    w.move(w.place(), available=units, on_hand=units, incoming=-units - rejected)
    w.truth += units


def _unannounced(w: Window) -> None:
    units = w.dice.randint(5, 60)
    w.move(w.place(), available=units, on_hand=units)
    w.truth += units


def _transfer(w: Window) -> None:
    units, (source, destination) = w.dice.randint(2, 40), w.two()
    w.move(source, available=-units, on_hand=-units)
    w.at += w.dice.uniform(0, 3)
    w.move(destination, available=units, on_hand=units)


def _draft(w: Window) -> None:
    units = w.dice.randint(1, 20)
    w.move(w.place(), available=-units)
    w.truth -= units


def _damaged(w: Window) -> None:
    units = w.dice.randint(1, 3)
    w.move(w.place(), available=-units)
    w.truth -= units


def _large_sale(w: Window) -> None:
    units = w.dice.randint(11, 40)
    w.move(w.place(), available=-units, on_hand=-units)
    w.truth -= units


def _offline_tills(w: Window) -> None:
    for place in w.two():
        units = w.dice.randint(5, 25)
        w.move(place, available=-units, on_hand=-units)
        w.truth -= units


def _everywhere(w: Window, write: Callable[[int], None]) -> None:
    """One program writes level after level."""
    for place in range(LOCATIONS):
        write(place)
        w.at += w.dice.uniform(0, 0.8)


def _imported(w: Window) -> None:
    number = w.truth + w.dice.choice((-12, -5, -2, -1, -1, 1, 1, 2, 5, 30))
    _everywhere(w, lambda place: w.count(place, number))
    w.truth = number


def _safety_stock(w: Window) -> None:
    units = w.dice.randint(1, 10)
    _everywhere(w, lambda place: w.move(place, available=-units))
    w.truth -= units


def _counted(w: Window) -> None:
    place = w.place()
    number = w.truth + w.dice.choice((-8, -3, -1, 1, 2, 6))
    delta = number - w.truth
    w.move(place, available=delta, on_hand=delta)
    w.truth = number


def _contradicted(w: Window) -> None:
    one, other = w.two()
    w.count(one, w.truth + w.dice.randint(-30, 30))
    w.at += w.dice.uniform(1, 6)
    number = w.truth + w.dice.randint(-30, 30)
    w.count(other, number)
    w.truth = number


@dataclass(frozen=True)
class Event:
    """How often a day, and what it does."""

    per_day: float
    act: Callable[[Window], None]


USUAL: Mapping[str, Event] = {
    "online order": Event(6, _online),
    "till sale": Event(6, _till),
    "cancellation": Event(0.3, _cancelled),
    "shipment": Event(5, _shipped),
    "return": Event(0.4, _returned),
    "order moved": Event(0.2, _reassigned),
    "announced receipt": Event(0.1, _announced),
    "unannounced receipt": Event(0.1, _unannounced),
    "transfer": Event(0.2, _transfer),
    "draft order": Event(0.2, _draft),
    "damage": Event(0.05, _damaged),
    "large till sale": Event(0.05, _large_sale),
    "offline tills": Event(0.02, _offline_tills),
    "import of one number": Event(0.3, _imported),
    "one safety stock": Event(0.01, _safety_stock),
    "count at one location": Event(0.1, _counted),
    "contradictory counts": Event(0.005, _contradicted),
}


@dataclass
class Score:
    """What one rule got wrong."""

    days: Counter[str] = field(default_factory=Counter)
    units: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Shape:
    """How much is traded, and how often it is looked at."""

    name: str
    trade: float
    interval_s: float


SHAPES = (
    Shape("usual trade, every 15 s", 1.0, 15.0),
    Shape("ten times the trade, every 60 s", 10.0, 60.0),
)


@dataclass
class Result:
    """Of one shape: the scores, and where ours offers more than the table before it."""

    scores: Mapping[str, Score]
    worse: Counter[tuple[str, str]] = field(default_factory=Counter)
    worse_units: Counter[tuple[str, str]] = field(default_factory=Counter)


def windows(shape: Shape, dice: random.Random) -> Iterator[Window]:
    """The windows of one item-day in which anything happened."""
    names = list(USUAL)
    rates = [USUAL[name].per_day * shape.trade for name in names]
    begins: dict[int, list[tuple[float, str]]] = defaultdict(list)
    at = dice.expovariate(sum(rates) / DAY_S)
    while at < DAY_S:
        name = dice.choices(names, rates)[0]
        begins[int(at / shape.interval_s)].append((at % shape.interval_s, name))
        at += dice.expovariate(sum(rates) / DAY_S)
    for events in begins.values():
        window = Window(dice.randint(0, 150), dice=dice)
        for second, name in events:
            window.at = max(second, window.at)
            window.names.append(name)
            USUAL[name].act(window)
        yield window


def play(shape: Shape, days: int, seed: int) -> Result:
    """So many item-days under every rule."""
    dice = random.Random(f"{seed} {shape.name}")
    result = Result({name: Score() for name in MODELS})
    for _ in range(days):
        wrong: dict[str, set[str]] = {name: set() for name in MODELS}
        for window in windows(shape, dice):
            _judge(window, result, wrong)
        for name, kinds in wrong.items():
            result.scores[name].days.update({*kinds, "wrong"} if kinds else ())
    return result


def _judge(window: Window, result: Result, wrong: Mapping[str, set[str]]) -> None:
    found = window.changes()
    if not found:
        return
    off = {}
    for name, rule in MODELS.items():
        off[name] = rule(window.before, found, LOCATIONS) - window.truth
        if off[name]:
            kind = "oversold" if off[name] > 0 else "undersold"
            wrong[name].add(kind)
            result.scores[name].units[kind] += abs(off[name])
    more = max(off["the table"], 0) - max(off["the table before"], 0)
    if more > 0:
        row = verdict(window.before, found, LOCATIONS).case.value
        key = row, " + ".join(sorted(window.names))
        result.worse[key] += 1
        result.worse_units[key] += more


def rates(shape: Shape, days: int, result: Result) -> Table:
    """Wrong item-days of a thousand."""
    made = Table(title=f"{shape.name}: item-days wrong per 1,000", title_justify="left")
    for head in ("rule", "wrong", "oversold", "undersold", "units oversold", "units undersold"):
        made.add_column(head, justify="left" if head == "rule" else "right")
    for name, score in result.scores.items():
        per = [score.days[kind] * 1000 / days for kind in ("wrong", "oversold", "undersold")]
        units = [score.units[kind] * 1000 / days for kind in ("oversold", "undersold")]
        made.add_row(name, *(f"{one:.2f}" for one in per), *(f"{one:.1f}" for one in units))
    return made


def worse(days: int, result: Result) -> Table:
    """Where the table offers more than the truth, and the one before it did not, or less so."""
    title = "where the table oversells and the one before it did less, per 1,000 item-days"
    made = Table(title=title, title_justify="left")
    for head in ("row", "what happened in the window", "windows", "units"):
        made.add_column(head, justify="right" if head in ("windows", "units") else "left")
    for key, count in result.worse.most_common(SHOWN_MAX):
        units = result.worse_units[key]
        made.add_row(*key, f"{count * 1000 / days:.3f}", f"{units * 1000 / days:.2f}")
    return made


def tables(days: int, seed: int, shapes: Sequence[Shape] = SHAPES) -> Iterator[Table]:
    """All that the command prints."""
    for shape in shapes:
        result = play(shape, days, seed)
        yield rates(shape, days, result)
        yield worse(days, result)


@click.command()
@click.option("--days", type=click.IntRange(1), default=2_000, show_default=True, help="item-days")
@click.option("--seed", type=int, default=1, show_default=True)
def merge(*, days: int, seed: int) -> None:
    """How often a pool is wrong: the merge table, the one before, last writer, plain sum."""
    console = Console(width=120)
    for table in tables(days, seed):
        console.print(table)
