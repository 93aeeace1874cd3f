"""Who asked for something, and from where: as the journal keeps it, and as people read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NAME_MAX = 60


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody who asked for something. Without a name nobody was asked for one: a command."""

    name: str = ""
    address: str = ""

    def numbers(self) -> dict[str, object]:
        """What a request and a line of the journal keep; nothing where no name is known."""
        if not self.name:
            return {}
        return {"who": self.name, **({"address": self.address} if self.address else {})}

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Asker:
        """The person that a request or a line of the journal names."""
        return cls(str(row.get("who") or ""), str(row.get("address") or ""))

    def text(self, unknown: str = "a person") -> str:
        """Anna from 10.0.0.7; `unknown` where no name is known."""
        if not self.name:
            return unknown
        return f"{self.name} from {self.address}" if self.address else self.name


UNNAMED = Asker()


def person_name(text: str) -> str:
    """A name as it may stand in a journal: printable, on one line, and not too long."""
    shown = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(shown.split())[:NAME_MAX].strip()
