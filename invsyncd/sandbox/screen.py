"""Shows the demo: a screen that is drawn again and again on a terminal, plain lines elsewhere.

It never stands still without a word: whoever waits calls `waiting()` with the reason. A terminal
then shows the seconds as they pass; a pipe, a file or a dumb terminal gets a line now and then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from invsyncd.sandbox.serve import Sandbox

DRAW_EVERY_S = 0.2
WORD_EVERY_S = 3.0
TITLE = "What both shops show right now (TikTok 80 %):"
ROWS_LEAST = 14  # a lower terminal gets plain lines
ROWS_AROUND = 4  # the title of the table, two empty lines, and the last line of the terminal
TABLE_HEAD = 2


class Screen:
    """A list of lines; on a terminal also a table of what both shops show."""

    def __init__(
        self, made: Sandbox, skus: list[str], console: Console, clock: Callable[[], float]
    ) -> None:
        self._made = made
        self._skus = skus
        self._console = console
        self.is_behind: Callable[[str], bool] = lambda _: False
        self._clock = clock
        self._lines: list[Text] = []
        self._live: Live | None = None
        self._over = False
        self._why = ""
        self._began = self._drawn = self._worded = clock()

    @contextmanager
    def showing(self) -> Iterator[None]:
        """Show the lines until the block ends."""
        console = self._console
        if not console.is_terminal or console.is_dumb_terminal or console.height < ROWS_LEAST:
            yield
            return
        with Live(console=console, get_renderable=self._frame, auto_refresh=False) as self._live:
            yield
            self._over = True  # the last frame shows all lines
        self._live = None

    def say(self, line: str) -> None:
        """Add one line, in rich's markup. What was waited for is over."""
        text = Text.from_markup(line)
        self._lines.append(text)
        self._why = ""
        if self._live is None:
            self._console.print(text, soft_wrap=not self._console.is_terminal)
        self._draw()

    def waiting(self, why: str) -> None:
        """Say why nothing else happens; to be called again and again while that lasts."""
        now = self._clock()
        if not self._why:
            self._began = self._worded = now
        self._why = why
        if self._live is None and now - self._worded >= WORD_EVERY_S:
            self._worded = now
            self._console.print(self._wait_line(), soft_wrap=not self._console.is_terminal)
        if now - self._drawn >= DRAW_EVERY_S:
            self._draw()

    def _draw(self) -> None:
        self._drawn = self._clock()
        if self._live is not None:
            self._live.refresh()

    def _wait_line(self) -> Text:
        if not self._why:
            return Text("")
        seconds = self._clock() - self._began
        return Text(f"   … {seconds:.0f} s: {self._why}", "dim")

    def _frame(self) -> Group:
        """As much as the terminal has room for, newest lines last."""
        console = self._console
        rows = [row for line in self._lines for row in line.wrap(console, console.width)]
        shelves = self._shelves()
        table = TABLE_HEAD + len(self._skus)
        room = console.height - ROWS_AROUND - table
        if self._over:
            # Once more the table, if it leaves room for what is printed behind it.
            fits = len(rows) + table + ROWS_AROUND + len(self._skus) <= console.height
            return Group(*rows, *((Text(""), Text(TITLE), shelves) if fits else ()))
        waits = [*self._wait_line().wrap(console, console.width)] if self._why else []
        shown = rows[-max(room - len(waits), 1) :]
        return Group(*shown, *waits, Text(""), Text(TITLE, "dim"), shelves)

    def _shelves(self) -> Table:
        shop, market = self._made.shop, self._made.market
        names = [location.name for location in shop.locations.values()]
        table = Table("SKU", *names, "TikTok", "", box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
        for column in table.columns[1:-1]:
            column.justify = "right"
        for sku in self._skus:
            levels = [str(shop.available(sku, name)) for name in names]
            shown = f"{market.available(sku, self._made.warehouse):,}"
            behind = self.is_behind(sku)
            # A mark too: not every terminal has colours.
            table.add_row(
                sku, *levels, shown, "←" if behind else "", style="yellow" if behind else ""
            )
        return table
