"""The commands of the guide: README.md's own words, so that a test walks what people type."""

from __future__ import annotations

import re
from pathlib import Path

README = Path(__file__).resolve().parents[2] / "README.md"


def blocks(heading: str) -> list[str]:
    """The shell blocks below one heading, in order; the heading must be there."""
    found = re.search(rf"(?ms)^#+ {re.escape(heading)}\n(.*?)(?=^#{{1,3}} |\Z)", README.read_text())
    assert found is not None, heading
    made = re.findall(r"(?ms)^```sh\n(.*?)^```$", found[1])
    assert made, heading
    return made
