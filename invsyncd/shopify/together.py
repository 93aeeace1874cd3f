"""Polls many locations by one document: the first page of each, for about the price of one.

A list of objects costs the same whatever its length (recorded for other objects). Whether that
holds here, the cost of the answers shows; `PollForm` keeps the cheaper form. Further pages, and
locations that this document cannot read, are polled one by one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from invsyncd.core.clocks import AT_ONCE, LoopSeconds, later
from invsyncd.errors import InvalidResponse, InvsyncError, Refused
from invsyncd.net.decode import Shape
from invsyncd.shopify import documents, parse
from invsyncd.shopify.client import Data, ShopifyClient
from invsyncd.shopify.polling import FirstPage, full_page
from invsyncd.shopify.reply import AccessDenied

log = logging.getLogger(__name__)

OP: Final = "POLL_TOGETHER"
LOCATIONS_MAX: Final = 25  # in one document: 6,250 levels at most in one answer
EMPTY_PAGE_POINTS: Final = 3.0  # of one location where nothing changed (recorded arithmetic)
REST_S: Final = 60.0  # after a refusal; twice as long each time
REST_S_MAX: Final = 3600.0  # and so long until prices are compared again


@dataclass(slots=True)
class PollForm:
    """Decides whether locations are polled together or one by one, by what quiet polls cost.

    Times are on the monotonic clock. A price is that of one poll of all locations, in points.
    """

    now: Callable[[], LoopSeconds]
    _prices: dict[bool, float] = field(default_factory=dict)
    _locations: int = 0
    _compare_at: LoopSeconds = AT_ONCE
    _not_before: LoopSeconds = AT_ONCE
    _refusals: int = 0
    why_single: str = ""
    """Why locations are polled one by one; empty while they are polled together."""

    def is_together(self, locations: int) -> bool:
        """Whether this many locations are to be polled together now."""
        now = self.now()
        if locations != self._locations or now >= self._compare_at:
            self._prices.clear()
            self._locations, self._compare_at = locations, later(now, REST_S_MAX)
        if locations < 2 or now < self._not_before:
            return False
        together = self._prices.get(True)
        single = self._prices.get(False)
        if together is None or (together <= locations * EMPTY_PAGE_POINTS and single is None):
            is_cheaper = True
        else:
            is_cheaper = single is not None and together <= single
        why = "" if is_cheaper else f"one document for all costs {together:g} points a poll"
        if why or not self._refusals:  # after a refusal the answer says whether they are together
            self._say(why)
        return is_cheaper

    @property
    def points(self) -> float:
        """What a poll of all locations costs in the present form; a guess before the first one."""
        guess = EMPTY_PAGE_POINTS * (self._locations if self.why_single else 1)
        return self._prices.get(not self.why_single, guess)

    def cost(self, points: float, *, together: bool) -> None:
        """Learn what a poll of all locations cost in which nothing had changed."""
        self._prices[together] = points

    def answered(self) -> None:
        """Note that the document for all was answered."""
        if self._refusals:
            self._refusals = 0
            self._say("")

    def refused(self, error: InvsyncError) -> None:
        """Poll one by one for a while: the document for all was not answered."""
        rest_s = min(REST_S * 2.0**self._refusals, REST_S_MAX)
        self._refusals = min(self._refusals + 1, 10)
        self._not_before = later(self.now(), rest_s)
        self._say(str(error))

    def _say(self, why: str) -> None:
        if why != self.why_single:
            what = f"one by one: {why}" if why else "together, by one document"
            log.info("shopify: locations are polled %s", what)
        self.why_single = why


async def first_pages(
    client: ShopifyClient, locations: Sequence[int], since: int, form: PollForm
) -> dict[int, FirstPage]:
    """The first page of each of these locations: what was updated at or after `since` (Unix s).

    A location that is null or cannot be read in the answer is left out, and so are all if the
    document itself is refused; polled alone, each says what is wrong. Raises as
    `ShopifyClient.execute` does where polling one by one would meet the same.
    """
    found: dict[int, FirstPage] = {}
    for start in range(0, len(locations), LOCATIONS_MAX):
        chunk = locations[start : start + LOCATIONS_MAX]
        variables = {
            "locations": [parse.gid("Location", one) for one in chunk],
            "query": parse.updated_since(since),
        }
        try:
            answer = await client.execute(documents.ALL[OP], variables, op=OP)
            slots = Shape(answer.data, OP).at("nodes").items()
            if len(slots) != len(chunk):
                raise InvalidResponse(
                    f"shopify {OP}: {len(chunk)} locations asked for, {len(slots)} answered"
                )
        except (Refused, AccessDenied, InvalidResponse) as error:
            form.refused(error)
            return found
        except InvsyncError as error:
            form.refused(error)
            raise
        form.answered()
        for location, slot in zip(chunk, slots, strict=True):
            page = _first_page(location, slot, answer, since)
            if page is not None:
                found[location] = page
    return found


def _first_page(location: int, slot: Shape, answer: Data, since: int) -> FirstPage | None:
    """This location's page; None where it is not there or cannot be read."""
    if slot.null:
        return None
    try:
        if parse.number(slot.at("id"), "Location") != location:
            raise slot.garbled("another location than the one asked for")
        connection = slot.at("inventoryLevels")
        active = slot.at("isActive").flag()
        page = full_page(location, connection, answer, active=active, of_some=True)
        return FirstPage(since, page, parse.next_cursor(connection, set()))
    except InvalidResponse as error:
        log.info("%s; location %d is polled alone", error, location)
        return None
