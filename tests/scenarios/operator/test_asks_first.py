"""`resume` and `undo` ask a person first; off a terminal only --yes is a yes.

`resolve` asks at a terminal. Off one, its `--use` has said what is right.
"""

from __future__ import annotations

import asyncio
import os
import pty
from pathlib import Path

from invsyncd.sandbox.child import own_command
from tests.support.running import Running, environment, running


async def at_a_terminal(w: Running, answer: str, *arguments: str) -> tuple[int | None, str, str]:
    """Run a command whose stdin is a terminal, and type this."""
    ours, theirs = pty.openpty()
    try:
        os.write(ours, answer.encode())
        process = await asyncio.create_subprocess_exec(
            *(*own_command(), "--config", str(w.config), *arguments),
            stdin=theirs,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment(),
        )
        out, err = await process.communicate()
        return process.returncode, out.decode(), err.decode()
    finally:
        os.close(theirs)
        os.close(ours)


async def test_a_no_leaves_everything_as_it_is_and_a_yes_does_it(tmp_path: Path) -> None:
    stock = {f"ITEM-{n:02}": 5 for n in range(20)}
    async with running(tmp_path, locations=2, **stock) as w:
        w.configure(tiktok=False)
        await w.ask("once")
        for sku in list(stock)[:7]:
            w.made.shop.count(sku, "Berlin", 0)
        await w.ask("once")
        code, out, err = await at_a_terminal(w, "n\n", "resume", "shopify")
        assert code == 1
        assert "shopify: 0 raised, 0 lowered, 7 zeroed" in out  # seen before it is asked
        assert "Resume it? [y/N]" in err
        await w.ask("once")
        assert w.levels("ITEM-00") == [0, 5]
        code, out, _ = await at_a_terminal(w, "y\n", "resume", "shopify")
        assert code == 0
        assert "resumed" in out
        await w.ask("once")
        assert w.levels("ITEM-00") == [0, 0]


async def test_off_a_terminal_nothing_is_written_without_a_yes(tmp_path: Path) -> None:
    stock = {f"ITEM-{n:02}": 5 for n in range(20)}
    async with running(tmp_path, locations=2, **stock) as w:
        w.configure(tiktok=False)
        await w.ask("once")
        for sku in list(stock)[:7]:
            w.made.shop.count(sku, "Berlin", 0)
        await w.ask("once")
        for words in (("resume", "shopify"), ("undo", "last"), ("undo", "last", "--json")):
            refused = await w.ask(*words)
            assert refused.exit_code == 2
            assert refused.stderr.startswith("Error: nothing was done: this writes to a shop")
            assert "Try: " in refused.stderr
            assert "--yes" in refused.stderr
        await w.ask("once")
        assert w.levels("ITEM-00") == [0, 5]
        result = await w.command("resume", "shopify", "--yes")
        assert result.returncode == 0
        assert "resumed; it goes on with the next `invsyncd run` or `once`" in result.stdout
