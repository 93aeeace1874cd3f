"""What a refusal of TikTok's is answered with, class by class: the table, and nothing else.

Which code is of which class stands in `tiktok.codes`. Whatever the class, the listing stays owed
and is read again before its next write; the waits grow, so that nothing is repeated hotly.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from invsyncd.engine.again import AGAIN_S, AGAIN_S_MAX
from invsyncd.tiktok.codes import Trouble


@dataclass(frozen=True, slots=True)
class Reaction:
    """What to do about one class.

    `first_s` is the first wait of the listing in seconds, doubled by each failure that follows.
    `discover` reads warehouses and listings again, `park` leaves the listing alone until it is
    edited or hours have passed, `clamp` asks whether a lower maximum holds for the shop, `halt`
    ends the whole side until a person has acted.
    """

    first_s: float = AGAIN_S
    discover: bool = False
    park: bool = False
    clamp: bool = False
    halt: bool = False


REACTIONS: Final[Mapping[Trouble, Reaction]] = MappingProxyType(
    {
        Trouble.RETRY: Reaction(),
        Trouble.THROTTLE: Reaction(),
        Trouble.REFRESH: Reaction(),  # the call went through, so the token is good by now
        Trouble.HALT: Reaction(halt=True),
        Trouble.PARK: Reaction(park=True),
        Trouble.WAREHOUSES: Reaction(discover=True),
        Trouble.REDISCOVER: Reaction(discover=True),
        Trouble.CLAMP: Reaction(clamp=True),
        Trouble.BUG: Reaction(AGAIN_S_MAX),
        Trouble.REFUSED: Reaction(AGAIN_S_MAX),
    }
)

_REQUEST = re.compile(r" \[request [^\]]*\]")


def lasting(message: str) -> str:
    """The message without what differs from one try to the next: told once, it is no news again."""
    return _REQUEST.sub("", message)
