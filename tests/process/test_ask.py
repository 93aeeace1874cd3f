"""`resolve`, `resume` and `scan`: carried out by the daemon, or at once if no daemon runs."""

from __future__ import annotations

from pathlib import Path

from tests.support.running import Running, running

HOLD = {"[mirror]\nenabled = true": '[mirror]\nenabled = true\non_conflict = "hold"'}


async def contradict(w: Running) -> None:
    """Two counts that cannot both be right."""
    w.configure(changed=HOLD)
    await w.ask("once")
    w.made.shop.count("TEE", "Berlin", 50)
    w.made.shop.count("TEE", "Munich", 30)
    held = await w.ask("once")
    assert held.exit_code == 3
    assert "TEE" in held.stdout


async def test_resolve_without_a_daemon_is_done_at_once(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10) as w:
        await contradict(w)
        result = await w.ask("resolve", "TEE", "--use", "location:Munich", "--yes")
        assert result.exit_code == 0
        assert "every mirrored location will show 30" in result.stdout
        assert w.agrees("TEE", 30)


async def test_resolve_is_left_to_the_daemon_while_one_runs(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10) as w:
        await contradict(w)
        await w.start()
        await w.until("the daemon is ready", w.is_ready)
        result = await w.ask("resolve", "TEE", "--use", "sum", "--yes")
        assert result.exit_code == 0
        assert "the running daemon does it" in result.stdout
        await w.until("both targets show the sum", lambda: w.agrees("TEE", 70))


async def test_what_cannot_be_resolved_is_said_before_anything_is_asked(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10) as w:
        await w.ask("once")
        not_held = await w.ask("resolve", "TEE", "--use", "lowest")
        assert (not_held.exit_code, w.levels("TEE")) == (1, [10] * 3)
        assert "nothing to resolve" in not_held.stderr
        unknown = await w.ask("resolve", "NOPE", "--use", "lowest")
        assert unknown.exit_code == 1
        assert '0 items have the SKU "NOPE"' in unknown.stderr
        await contradict(w)
        wrong = await w.ask("resolve", "TEE", "--use", "most")
        assert wrong.exit_code == 2
        assert "lowest, highest, sum" in wrong.stderr


async def test_scan_without_a_daemon_is_done_at_once(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10) as w:
        await w.ask("once")
        w.made.shop.deactivate("TEE", "Munich")
        result = await w.ask("scan")
        assert result.exit_code == 0
        assert "full scan by bulk operation: 3 levels" in result.stdout
        w.made.shop.sell_online("TEE", "Berlin", 2)
        await w.ask("once")
        assert w.levels("TEE") == [8, 8, 10]


async def test_scan_is_left_to_the_daemon_while_one_runs(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10) as w:
        await w.start()
        await w.until("the daemon is ready", w.is_ready)
        w.made.shop.deactivate("TEE", "Munich")
        assert (await w.ask("scan")).exit_code == 0
        await w.until("it scanned", lambda: "full scan by" in w.child.log_text())


async def test_resume_of_what_is_not_paused_says_so(tmp_path: Path) -> None:
    async with running(tmp_path, TEE=10) as w:
        await w.ask("once")
        assert "tiktok is not paused" in (await w.ask("resume", "tiktok")).stdout
