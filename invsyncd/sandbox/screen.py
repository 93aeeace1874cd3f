"""Shows the demo: live on a terminal, as plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from invsyncd.sandbox.serve import Sandbox

LINES_MAX = 14


class Screen:
    """A list of lines; on a terminal also a table of what both shops show."""

    def __init__(self, made: Sandbox, skus: list[str], console: Console | None = None) -> None:
        self._made = made
        self._skus = skus
        self._console = console or Console(highlight=False)
        self._lines: list[str] = []
        self._live: Live | None = None
        self._over = False

    @contextmanager
    def showing(self) -> Iterator[None]:
        """Show the lines until the block ends."""
        if not self._console.is_terminal:
            yield
            return
        with Live(
            console=self._console, get_renderable=self._frame, refresh_per_second=8
        ) as self._live:
            yield
            self._over = True  # the last frame shows all lines
        self._live = None

    def say(self, line: str) -> None:
        """Add one line."""
        self._lines.append(line)
        if self._live is None:
            self._console.print(Text.from_markup(line))

    def table(self, title: str, rows: list[tuple[str, ...]], columns: tuple[str, ...]) -> None:
        """Print a closing table."""
        table = Table(title=title, title_justify="left", title_style="bold")
        for number, column in enumerate(columns):
            table.add_column(column, justify="left" if number == 0 else "right")
        for row in rows:
            table.add_row(*row)
        self._console.print(table)

    def _frame(self) -> Group:
        lines = self._lines if self._over else self._lines[-LINES_MAX:]
        story = Text.from_markup("\n".join(lines))
        return Group(story, Text(""), self._shelves())

    def _shelves(self) -> Table:
        shop, market = self._made.shop, self._made.market
        names = [location.name for location in shop.locations.values()]
        table = Table("SKU", *names, "TikTok at 80 %", title="what both shops show right now")
        for column in table.columns[1:]:
            column.justify = "right"
        for sku in self._skus:
            levels = [str(shop.available(sku, name)) for name in names]
            shown = f"{market.available(sku, self._made.warehouse):,}"
            same = len(set(levels)) == 1
            table.add_row(sku, *levels, shown, style="" if same else "yellow")
        return table
