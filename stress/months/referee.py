"""Checks each minute what is stale, lost, doubled, written for nothing, promised or untrue.

It compares both shops with the books, asks the health what /readyz would say, and looks into the
state database only for whether something was read yet.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections import Counter, defaultdict, deque
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime

from invsyncd.sandbox.serve import Sandbox
from stress.months.ledger import Book
from stress.months.life import INTERVAL_S, Machine
from stress.months.schedule import HOUR_S, Fault
from stress.months.shop import People
from stress.months.weather import Sky
from tests.support import virtual

LOOK_S = 60.0
RECOVERED_S = HOUR_S  # after the end of every fault, everything is as it must be again
HOLD_S, AUDIT_S = 4500.0, 900.0
OFFER_LATE_S = AUDIT_S + 2 * INTERVAL_S + 300.0  # what TikTok itself moves, the next audit sees
AT_REST_S = HOLD_S + AUDIT_S + HOUR_S
UNREADY_S = 3 * INTERVAL_S + 30 + 2 * LOOK_S
OWED_S = 300 + AUDIT_S + 2 * INTERVAL_S
POOL_LOOKS = 25  # what Shopify had in so many minutes may not have been heard of yet
CATALOGUE_S = 900.0  # of the configuration in `life`
SILENT_S = 300.0 + 2 * LOOK_S  # law 9, and how seldom the referee looks
DEGRADED = ("stutters", "bucket is crowded", "throttles")


@dataclass(frozen=True)
class Violation:
    """What must never be, when, and of which item."""

    at: float
    what: str
    sku: str = ""

    def __str__(self) -> str:
        when = datetime.fromtimestamp(self.at, UTC)
        return f"{when:%Y-%m-%d %H:%M:%S} {self.sku} {self.what}"


class Referee:
    """`look` is called once a minute. `faults` are those that have begun."""

    def __init__(self, made: Sandbox, people: People, machine: Machine, sky: Sky) -> None:
        self.made, self.people, self.machine, self.sky = made, people, machine, sky
        self.violations: list[Violation] = []
        self.begun: list[Fault] = []
        self.stale: dict[str, float] = defaultdict(float)
        """By kind of fault, the longest time from its end until a change showed everywhere."""
        self.stale_offers: dict[str, float] = defaultdict(float)
        """The same for TikTok, of listings where nobody bought meanwhile."""
        self.unready: dict[str, float] = defaultdict(float)
        """By kind of outage, the longest time from its end until /readyz was true again."""
        self.counts: Counter[str] = Counter()
        self.worst_excess = 0
        self.lasting_excess = 0
        self.raised = 0
        self._pools: dict[str, deque[int]] = defaultdict(lambda: deque(maxlen=POOL_LOOKS))
        self._history = 0
        self._written = (0, 0)
        self._excess_since: dict[str, float] = {}
        self._offer_wrong_since: dict[str, float] = {}
        self._level_wrong_since: dict[str, float] = {}
        self._over_since: dict[str, float] = {}
        self._told: set[str] = set()
        self._unlimited: set[str] = set()
        """Listings whose number was not a share of the pool, until it is the right one again."""
        self._rested: tuple[object, ...] = ()
        self._unready_since = 0.0
        self._ready_at = 0.0
        self._up_since = 0.0
        self._rest_since = 0.0

    async def watch(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            self.look(virtual.clock())

    def look(self, now: float) -> None:
        """One look at everything."""
        self._reading(now)
        self._raises(now)
        wrong = self._offers(now)
        self._rest(now, wrong)
        self._health(now)
        self._silence_about_numbers(now)

    def wrong(self, now: float, what: str, book: Book | None = None) -> None:
        """Write a violation down."""
        self.violations.append(Violation(now, what, book.sku if book else ""))

    def is_calm(self, now: float, seconds: float) -> bool:
        """Whether everything works, and has for so long."""
        lasting = [f for f in self.begun if f.ends + self.people.plan.begin > now - seconds]
        return not lasting and self.machine.window is not None

    # Conservation and staleness

    def look_at(self, book: Book) -> None:
        """Whether this one was read by now."""
        with closing(self._state()) as db:
            if self._is_read(db, book):
                self._was_read(book, virtual.clock())

    def _state(self) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{self.machine.state}?mode=ro", uri=True)

    def _reading(self, now: float) -> None:
        unread = [book for book in self.people.books if book.unread and not book.gone]
        if not unread:
            return
        with closing(self._state()) as db:
            for book in unread:
                if self._is_read(db, book):
                    self._was_read(book, now)
                elif now - book.unread_since > RECOVERED_S and self.is_calm(now, RECOVERED_S):
                    self._lost(db, book, now)

    def _is_read(self, db: sqlite3.Connection, book: Book) -> bool:
        mirrored = book.mirrored(self.people.types)
        places = self.people.places(book)
        if mirrored and {level.available for level in places} - {book.pool}:
            return False
        row = db.execute(
            "SELECT tracked, continues, product_types, pool, sku FROM item WHERE id = ?",
            (book.item,),
        ).fetchone()
        if row is None or (bool(row[0]), bool(row[1]), row[4]) != (
            book.tracked,
            book.continues,
            self.made.shop.items[book.item].sku,
        ):
            return False
        if json.loads(row[2]) != [book.product_type] or row[3] != (book.pool if mirrored else None):
            return False
        known = {
            place: numbers
            for place, *numbers in db.execute(
                "SELECT location, available, committed, doubtful FROM level"
                " WHERE item = ? AND active = 1",
                (book.item,),
            )
        }
        true = {x.location: [x.available, x.committed, 0] for x in book.places(frozenset())}
        open_ = db.execute("SELECT 1 FROM attempt_row WHERE item = ?", (book.item,)).fetchone()
        return known == true and open_ is None

    def _was_read(self, book: Book, now: float) -> None:
        since, edited = book.unread_since, book.alone == "whole"
        book.was_read()
        self._took("shopify", self.stale, since, now, ", an edit" if edited else "")

    def _took(
        self, side: str, worst: dict[str, float], since: float, now: float, what: str = ""
    ) -> None:
        """A change of `since` shows now: charge the fault that ended last."""
        begin = self.people.plan.begin
        faults = [
            f
            for f in self.begun
            if f.kind.startswith((side, "shopify", "kill", "restart", "the clock"))
            and f.at + begin <= now
            and f.ends + begin >= since - INTERVAL_S
        ]
        if not faults:
            calm = f"nothing wrong{what}"
            worst[calm] = max(worst[calm], now - since)
            return
        last = max(faults, key=lambda f: f.ends)
        ended, kind = last.ends + begin, last.kind + what
        if ended > now and last.kind.partition(" ")[2] in DEGRADED:
            worst[f"{kind} (during)"] = max(worst[f"{kind} (during)"], now - since)
        else:
            worst[kind] = max(worst[kind], now - max(since, min(ended, now)))

    def _lost(self, db: sqlite3.Connection, book: Book, now: float) -> None:
        """Say it once, and go on from what is there."""
        shown = [level.available for level in self.people.places(book)]
        row = db.execute("SELECT standing, pool FROM item WHERE id = ?", (book.item,)).fetchone()
        self.wrong(
            now,
            f"shows {shown}, expected {book.pool}; unread since {self._time(book)}; {row}",
            book,
        )
        kept = row[1] if row and row[1] is not None else book.pool
        self.counts["units lost"] += max(0, book.pool - kept)
        self.counts["units counted twice"] += max(0, kept - book.pool)
        self.counts["not level"] += len(set(shown)) > 1
        book.pool = kept
        book.was_read()

    def _time(self, book: Book) -> str:
        return f"{datetime.fromtimestamp(book.unread_since, UTC):%H:%M:%S}"

    # TikTok

    def _offers(self, now: float) -> bool:
        """Whether something on TikTok is not as it must be at rest."""
        seen = self._signature()
        if seen == self._rested:
            return False
        wrong = False
        for book in self.people.books:
            if book.gone or book.quiet_listing or self.people.holidays:
                self._excess_since.pop(book.sku, None)
                self._offer_wrong_since.pop(book.sku, None)
                continue
            shown, offered = self.people.shown(book), self.people.offered(book)
            if shown == offered:
                since = self._offer_wrong_since.pop(book.sku, 0.0)
                if since and since - book.sold_there_at > AT_REST_S:
                    self._took("tiktok", self.stale_offers, since, now)
                self._told.discard(book.sku)
                self._unlimited.discard(book.sku)
            else:
                wrong = True
                self._wrong_offer(book, now, shown, offered)
            self._excess(book, now, shown)
        self._rested = () if wrong or self._excess_since else seen
        return wrong

    def _raises(self, now: float) -> None:
        """What we wrote to TikTok may fall behind; it must never rise above what was left."""
        news = self.made.market.history[self._history :]
        self._history += len(news)
        by_listing = {book.listing: book for book in self.people.books}
        for one in self.people.books:
            self._pools[one.sku].append(one.looked())
        for change in news:
            book = by_listing.get(change.sku_id)
            if change.actor != "app" or change.after <= change.before or book is None:
                continue
            own = self.people.of_its_own(book)
            most = max(0, max(self._pools[book.sku]) - book.in_transit) + own
            bound = book.sku not in self._unlimited and self.people.is_plain(book)
            sold_since = change.time - book.sold_there_at < 3 * LOOK_S  # and its reading
            too_many = bound and not sold_since and self._holds_hold(now)
            if not (too_many and change.after > most):
                continue
            if change.after <= most + _hidden(book, change.time):
                self.counts["raised, a sale hidden by a cancellation"] += 1
            else:
                self.raised = max(self.raised, change.after - most)
                self.wrong(now, f"TikTok was raised to {change.after}, {most} were left", book)

    def _holds_hold(self, now: float) -> bool:
        """They are kept by the wall clock: one that was set ends them early, or late."""
        begin = self.people.plan.begin
        clocks = [f for f in self.begun if f.kind.startswith("the clock")]
        was_set = any(f.ends + begin > now - AT_REST_S for f in clocks)
        return self.is_calm(now, RECOVERED_S) and not was_set

    def _signature(self) -> tuple[object, ...]:
        """The same while nobody moved anything."""
        made, config = self.made, self.machine.configuration
        moved = len(made.shop.adjustments), len(made.market.history), self.people.acted_at
        return (*moved, config.percent, config.reserve, config.mapped, self.people.holidays)

    def _wrong_offer(self, book: Book, now: float, shown: int, offered: int) -> None:
        since = self._offer_wrong_since.setdefault(book.sku, now)
        old = now - max(since, book.sold_there_at) > AT_REST_S and not book.in_transit
        if old and self.is_calm(now, AT_REST_S) and book.sku not in self._told:
            self._told.add(book.sku)
            self.wrong(now, f"TikTok shows {shown}, expected {offered}", book)

    def _excess(self, book: Book, now: float, shown: int) -> None:
        if not self.people.is_plain(book):
            self._unlimited.add(book.sku)
        if book.sku in self._unlimited or (book.unread and book.alone == "whole"):
            self._excess_since.pop(book.sku, None)
            return
        excess = shown - max(0, book.left) - self.people.of_its_own(book)
        if excess <= 0:
            self._excess_since.pop(book.sku, None)
            return
        self.worst_excess = max(self.worst_excess, excess)
        since = self._excess_since.setdefault(book.sku, now)
        if not self.is_calm(now, AT_REST_S):
            self._excess_since[book.sku] = now
        elif now - since > OFFER_LATE_S:
            self.lasting_excess = max(self.lasting_excess, excess)
            self.wrong(now, f"TikTok shows {shown}, {book.left} are left", book)
            self._excess_since[book.sku] = now

    # Silence

    def _rest(self, now: float, wrong: bool) -> None:
        written = len(self.made.shop.writes), len(self.made.market.updates)
        news, self._written = written != self._written, written
        busy = wrong or any(book.unread or book.in_transit for book in self.people.books)
        sold_at = max(book.sold_there_at for book in self.people.books)
        quiet = (
            not busy
            and now - self.people.acted_at > HOUR_S / 2
            and now - sold_at > AT_REST_S
            and self.is_calm(now, 2 * HOUR_S)
        )
        if not quiet:
            self._rest_since = 0.0
            return
        if self._rest_since:
            self.counts["seconds at rest"] += int(LOOK_S)
            if news:
                self.counts["writes at rest"] += 1
                self.wrong(now, f"written at rest: {self.made.shop.writes[-1:]}")
        self._rest_since = now

    # /readyz

    def _health(self, now: float) -> None:
        health = self.machine.health
        if health is None:
            self._up_since = now
            self._unready_since = 0.0
            return
        ready, document = health.document()
        if ready:
            self._became_ready(now)
            self._unready_since = 0.0
            out = self._out_since("shopify", now)
            if out and now - max(out, self._up_since) > UNREADY_S:
                self.wrong(now, f"/readyz says ready, Shopify is out for {now - out:.0f} s")
            self._owed(now)
            return
        self._unready_since = self._unready_since or now
        self.counts["seconds unready"] += int(LOOK_S)
        calm = self.is_calm(now, RECOVERED_S) and now - self._up_since > RECOVERED_S
        if calm and "ready" not in self._told:
            self._told.add("ready")
            self.wrong(now, f"/readyz says unready while all is well: {document['notes']}")

    def _silence_about_numbers(self, now: float) -> None:
        """Law 9: minutes in which a number was wrong for long and nobody was told.

        The five minutes begin when invsyncd may have read of it: polls are far apart here.
        """
        health = self.machine.health
        ready, document = health.document() if health else (False, {"notes": []})
        said = " ".join(map(str, document["notes"])).lower()
        for book in self.people.books:
            for side, wrong, since in (
                ("shopify", self._level_is_wrong(book), self._level_wrong_since),
                ("tiktok", self._offers_too_much(book, now), self._over_since),
            ):
                if not wrong:
                    since.pop(book.sku, None)
                    continue
                unread_s = INTERVAL_S + (CATALOGUE_S if book.alone == "whole" else 0.0)
                began = max(since.setdefault(book.sku, now), self._up_since, book.moved_at)
                lasts = now - began
                long = lasts > SILENT_S + unread_s
                if long and ready and side not in said and book.sku.lower() not in said:
                    self.counts["minutes unsaid"] += 1
                    if f"unsaid {side} {book.sku}" not in self._told:
                        self._told.add(f"unsaid {side} {book.sku}")
                        self.wrong(now, f"{side}: {wrong}, and nothing is said of it", book)

    def _level_is_wrong(self, book: Book) -> str:
        if book.gone or not book.mirrored(self.people.types):
            return ""
        shown = [level.available for level in self.people.places(book)]
        return f"shows {shown} of {book.pool}" if set(shown) - {book.pool} else ""

    def _offers_too_much(self, book: Book, now: float) -> str:
        """What TikTok moves itself, the next audit sees; what nobody can buy is no promise."""
        if book.gone or book.quiet_listing or self.people.holidays:
            return ""
        shown, offered = self.people.shown(book), self.people.offered(book)
        late = now - book.sold_there_at < OFFER_LATE_S
        return f"shows {shown} for {offered}" if shown > offered and not late else ""

    def _owed(self, now: float) -> None:
        """While TikTok is out and a number there has been wrong for long, nobody is ready."""
        out = self._out_since("tiktok", now)
        for book in self.people.books:
            since = self._offer_wrong_since.get(book.sku, now)
            known = since - book.sold_there_at > AT_REST_S and not self._out_since("shopify", now)
            if out and known and now - max(out, since, self._up_since) > OWED_S:
                self.wrong(now, f"/readyz says ready, TikTok is out for {now - out:.0f} s", book)

    def _became_ready(self, now: float) -> None:
        self._told.discard("ready")
        if not self._unready_since:
            return
        ended = [f for f in self.begun if f.ends + self.people.plan.begin <= now]
        if ended:
            last = max(ended, key=lambda f: f.ends)
            took = now - max(last.ends + self.people.plan.begin, self._unready_since)
            self.unready[last.kind] = max(self.unready[last.kind], took)

    def _out_since(self, side: str, now: float) -> float:
        if not self.sky.is_out(side):
            return 0.0
        begin = self.people.plan.begin
        outages = ("refuses", "answers", "is silent", "is gone")
        live = [
            f.at + begin
            for f in self.begun
            if f.kind.startswith(side)
            and f.ends + begin > now
            and any(what in f.kind for what in outages)
        ]
        return min(live, default=0.0)


def _hidden(book: Book, at: float) -> int:
    """Units whose sale nobody could see: a cancellation between the same two readings undid it.

    TikTok puts cancelled units back on sale by itself; its stock then shows what it showed before.
    """
    return sum(units for when, units in book.cancelled_there if at - HOLD_S < when < at)
