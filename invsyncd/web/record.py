"""Lines of the journal as people read them: when, what kind, whose, and the sentence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from invsyncd.web.html import Html, tag
from invsyncd.web.shell import explain_link, section, with_code
from invsyncd.web.words import ago, clip, moment

_COLOURED = ("change", "write", "hold", "parked", "drift")


def record(
    title: str, none: str, rows: Iterable[Mapping[str, Any]], now: float, *, skus: bool
) -> Html:
    """A section of these lines, in their order; `skus` says whether each names its SKU."""
    lines = [_line(row, now, skus=skus) for row in rows]
    whole = tag("ol", lines, class_="journal") if lines else tag("p", none, class_="none")
    return section(title, whole, id_="journal")


def _line(row: Mapping[str, Any], now: float, *, skus: bool) -> Html:
    kind = str(row.get("kind", ""))
    at = moment(row["at"])
    when = tag("time", ago(row["at"], now), datetime=f"{at.replace(' ', 'T')}Z", title=f"{at} UTC")
    badge = tag("span", clip(kind, 40), class_=f"kind {kind if kind in _COLOURED else ''}".strip())
    sku = [explain_link(str(row["sku"])), " "] if skus and row.get("sku") else None
    says = tag("span", with_code(clip(str(row.get("says", "")))))
    return tag("li", when, tag("p", badge, " ", sku, says))
