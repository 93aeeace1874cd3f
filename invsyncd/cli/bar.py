"""Progress for people who wait: on stderr, only on a terminal, and gone when the work is done.

A first baseline, a scan and a discovery all show as what they are: answers that come in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from invsyncd.metrics import Metrics


@contextmanager
def counting(what: str) -> Iterator[Callable[[int], None]]:
    """Yields a function to be told of each so many more things that were done."""
    with _progress("done") as progress:
        if progress is None:
            yield lambda more: None
            return
        task = progress.add_task(what, total=None)
        yield lambda more: progress.advance(task, more)


class Answers(Metrics):
    """Counts as the daemon does, and shows each answer to who waits for a command."""

    def __init__(self, show: Callable[[str, str], None]) -> None:
        super().__init__()
        self._show = show

    def on_request(self, api: str, op: str, code: int | str, seconds: float) -> None:
        """Count one request, and show whom it was for."""
        super().on_request(api, op, code, seconds)
        self._show(api, op)


@contextmanager
def asking() -> Iterator[Metrics]:
    """Yields the metrics to assemble with while people wait for the shops' answers."""
    with _progress("answers") as progress:
        if progress is None:
            yield Metrics()
            return
        task = progress.add_task("asking the shops", total=None)
        yield Answers(
            lambda api, op: progress.update(task, advance=1, description=f"{api}: {op.lower()}")
        )


@contextmanager
def _progress(unit: str) -> Iterator[Progress | None]:
    """None where nobody watches: a pipe, a file, a log."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TextColumn(f"{{task.completed:,.0f}} {unit}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        yield progress
