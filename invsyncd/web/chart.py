"""The chart of change-to-target times: a small SVG, its figures in words, and a table.

The scale has steps that people know (1 s, 5 s, 15 s, 1 min …), at equal distances. So a sale that
took an hour does not flatten the sales that took seconds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from invsyncd.text import SHOPS, plural
from invsyncd.web.html import Child, Html, section, table, tag
from invsyncd.web.words import date_and_time, lag

_TICKS = (
    (0.0, "0"),
    (1.0, "1 s"),
    (5.0, "5 s"),
    (15.0, "15 s"),
    (60.0, "1 min"),
    (300.0, "5 min"),
    (900.0, "15 min"),
    (3600.0, "1 h"),
    (14_400.0, "4 h"),
    (86_400.0, "1 day"),
)
_TICKS_MIN = 5  # always shown: the steps up to a minute
_WIDE, _HIGH = 12, 20  # the box of a quarter, and of one step of the scale, in SVG units


@dataclass(frozen=True, slots=True)
class Scale:
    """The scale of the chart: steps from the bottom up, each (seconds, label)."""

    ticks: tuple[tuple[float, str], ...]

    @classmethod
    def up_to(cls, seconds: float) -> Scale:
        """The smallest scale that shows so many seconds, or else the largest."""
        enough = [n for n, (tick, _) in enumerate(_TICKS) if tick >= seconds]
        last = enough[0] if enough else len(_TICKS) - 1
        return cls(_TICKS[: max(last + 1, _TICKS_MIN)])

    @property
    def high(self) -> int:
        """The height of the whole scale in SVG units."""
        return _HIGH * (len(self.ticks) - 1)

    def height(self, seconds: float) -> float:
        """The height of a column in SVG units; steps above 1 s are logarithmic.

        A column is never too low to be seen, and never higher than the scale.
        """
        steps = float(len(self.ticks) - 1)
        for number, ((low, _), (high, _)) in enumerate(pairwise(self.ticks)):
            if seconds <= high:
                part = math.log(seconds / low) / math.log(high / low) if low else seconds / high
                steps = number + max(part, 0.0)
                break
        return max(_HIGH * steps, 1.5)


def lag_section(found: Mapping[str, Any]) -> Html:
    """The section with the chart, its figures and its table."""
    targets: Mapping[str, Any] = found["targets"]
    hours = found["bucket_s"] * found["buckets"] // 3600
    scale = Scale.up_to(max((t["slowest_s"] or 0.0 for t in targets.values()), default=0.0))
    has_changes = any(t["count"] for t in targets.values())
    ticks = [tag("li", label) for _, label in reversed(scale.ticks)]
    chart = tag(
        "div",
        tag("ol", ticks, class_="ticks", aria_hidden="true"),
        tag("div", _svg(found, scale, hours), None if has_changes else _EMPTY, class_="plot"),
        class_="chart",
    )
    labels = [f"{hours} h ago", f"{hours // 2} h ago", "now"]
    below = tag("div", [tag("span", label) for label in labels], class_="span", aria_hidden="true")
    return section(
        "From a change to each target",
        tag("div", [_figure(*target) for target in targets.items()], class_="figures"),
        chart,
        below,
        tag("p", _KEY, class_="small") if has_changes else None,
        _as_table(found) if has_changes else None,
        id_="lag",
    )


_EMPTY = tag(
    "div",
    tag(
        "p",
        tag("b", "Nothing has changed yet."),
        " The next sale or count appears here, with the time it took.",
    ),
    class_="empty",
)
_GHOSTS = (14, 20, 11, 17, 23, 16, 12, 19)  # columns of the empty chart, in SVG units
_KEY = (
    "Each column is a quarter of an hour. Half of its changes arrived within the solid part, the"
    " slowest one at the end of the pale part. Times count from Shopify's own time stamp, which has"
    " whole seconds."
)


def _figure(name: str, target: Mapping[str, Any]) -> Html:
    words: list[Child] = [tag("b", "–"), "no change yet"]
    if target["count"]:
        rest = (
            f"half of {plural(target['count'], 'change')} within;"
            f" slowest {lag(target['slowest_s'])}"
        )
        words = [tag("b", lag(target["median_s"])), rest]
    dot = tag("i", class_=f"dot {name}", aria_hidden="true")
    return tag("p", tag("span", dot, SHOPS.get(name, name)), words)


def _in_words(name: str, some: Mapping[str, Any]) -> str:
    """The changes of one target with their times, as one line."""
    many = f"{SHOPS.get(name, name)} {plural(some['count'], 'change')}"
    if not some["count"]:
        return many
    return f"{many}, median {lag(some['median_s'])}, slowest {lag(some['slowest_s'])}"


def _svg(found: Mapping[str, Any], scale: Scale, hours: int) -> Html:
    wide = _WIDE * found["buckets"]
    lines = [
        tag("line", x1=0, x2=wide, y1=y, y2=y, class_="grid")
        for y in range(0, scale.high + 1, _HIGH)
    ]
    has_changes = any(target["count"] for target in found["targets"].values())
    ghosts = [
        tag("rect", x=x + 2, y=scale.high - high, width=8, height=high, class_="ghost")
        for x, high in zip(range(0, wide, _WIDE), _GHOSTS * 3, strict=False)
    ]
    in_words = "; ".join(_in_words(name, target) for name, target in found["targets"].items())
    return tag(
        "svg",
        lines,
        _columns(found, scale) if has_changes else ghosts,
        viewBox=f"0 0 {wide} {scale.high}",
        preserveAspectRatio="none",
        role="img",
        aria_label=f"Time from a change to each target over the last {hours} hours: {in_words}",
    )


def _columns(found: Mapping[str, Any], scale: Scale) -> Iterator[Html]:
    bucket_s = found["bucket_s"]
    begins = found["ends_at"] - bucket_s * found["buckets"]
    for number, (name, target) in enumerate(found["targets"].items()):
        for bucket in target["series"]:
            left = (bucket["at"] - begins) // bucket_s * _WIDE + 1.5 + 4.75 * number
            title = tag("title", f"{date_and_time(bucket['at'])[11:16]} {_in_words(name, bucket)}")
            heights = [(kind, scale.height(bucket[f"{kind}_s"])) for kind in ("slowest", "median")]
            yield tag("g", title, [_column(left, *one, scale) for one in heights], class_=name)


def _column(left: float, kind: str, height: float, scale: Scale) -> Html:
    y = f"{scale.high - height:.1f}"
    return tag("rect", x=f"{left:g}", y=y, width="4.25", height=f"{height:.1f}", class_=kind)


def _as_table(found: Mapping[str, Any]) -> Html:
    rows: list[list[Child]] = [
        [
            date_and_time(bucket["at"])[11:16],
            SHOPS.get(name, name),
            bucket["count"],
            lag(bucket["median_s"]),
            lag(bucket["slowest_s"]),
        ]
        for at in sorted({b["at"] for t in found["targets"].values() for b in t["series"]})
        for name, target in found["targets"].items()
        for bucket in target["series"]
        if bucket["at"] == at
    ]
    heads = ["from", "target", "changes", "median", "slowest"]
    whole = table("Change to target by quarter of an hour", heads, rows, numbers=3)
    return tag("details", tag("summary", "The same as a table"), whole, id="lag-table")
