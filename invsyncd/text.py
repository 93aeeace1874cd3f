"""Numbers, moments, lists and commands as they stand in sentences for people."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import urlencode

DAY_S = 86_400
SHOPS = {"shopify": "Shopify", "tiktok": "TikTok"}  # names for people, by target


def signed(units: int) -> str:
    """A number with its sign: −3, +2, 0."""
    return f"{units:+d}".replace("-", "−") if units else "0"


def plain(units: int | None) -> str:
    """A quantity with a real minus sign, or words if it is not known."""
    return "nothing known" if units is None else f"{units:,}".replace("-", "−")


def plural(count: int, one: str, many: str = "") -> str:
    """A count with its noun: 1 unit, 2 units."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def listed(parts: Sequence[str]) -> str:
    """A list in words: A, B and C."""
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)


def distinct_names(names: Mapping[int, str]) -> dict[int, str]:
    """Names by id, each unlike the others: the id is added to a name that several have."""
    times = Counter(names.values())
    return {x: name if times[name] == 1 else f"{name} ({x})" for x, name in names.items()}


def moment(at: int, now: int) -> str:
    """A Unix second in UTC; with its date unless it is on the same UTC day as `now`."""
    when = datetime.fromtimestamp(at, UTC)
    if at // DAY_S == now // DAY_S:
        return f"{when:%H:%M:%S} UTC"
    return utc_moment(at)


def utc_moment(at: int) -> str:
    """A Unix second with its date, in UTC."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"


def iso(at: int | None) -> str | None:
    """A Unix second in ISO 8601 and UTC, for programs; None for None and 0."""
    if not at:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")


def command(*words: str, sku: str) -> str:
    """A command to paste into a shell. The SKU stands last, quoted, and is never an option."""
    return shlex.join(["invsyncd", *words, *(["--"] if sku.startswith("-") else []), sku])


def ends_hold(sku: str) -> str:
    """The command that ends a hold. It names `lowest`, which never offers more than was counted."""
    if sku.startswith("-"):
        return command("resolve", "--use", "lowest", sku=sku)
    return f"invsyncd resolve {shlex.quote(sku)} --use lowest"


ACTS = "/actions"


def act_path(act: str, **asked: str) -> str:
    """The page that shows what an act would do: `act_path("resolve", sku="TEE", use="lowest")`."""
    given = {name: value for name, value in asked.items() if value}
    path = f"{ACTS}/{act}" if act else ACTS
    return path + (f"?{urlencode(given)}" if given else "")


def explain_path(sku: str) -> str:
    """The page that explains a SKU."""
    return f"/explain?{urlencode({'sku': sku})}"


def offered(choices: Sequence[tuple[str, int]]) -> str:
    """The choices of a hold with what each would give: lowest 30 · highest 70 · Berlin 50."""
    return " · ".join(f"{name} {plain(units)}" for name, units in choices)


OTHER_WRITER_ENDS = (
    "switch off inventory sync in the other app. If that app is to keep the number, name the SKU in"
    " a [[tiktok.override]] with enabled = false"
)
"""Both ways out where another program writes a TikTok number."""


def ways_out(target: str, passes: Sequence[str]) -> str:
    """Both ways out of a pause, the safe one first. `passes` made the numbers that wait."""
    undo = listed([f"`invsyncd undo {name}`" for name in passes])
    undo = undo or "Put the stock, or the configuration, back as it was"
    return f"A mistake? {undo}. Meant? `invsyncd resume {target}`"
