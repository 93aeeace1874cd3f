"""The real process and a real service: a message arrives, and a stop waits for none."""

from __future__ import annotations

from pathlib import Path

from tests.scenarios.alerts.listener import Listener, listener
from tests.support.running import Running, running


async def dead_token(w: Running, people: Listener) -> None:
    """Start with one service, and let TikTok's authorisation die."""
    w.configure(more=f'[alerts]\nurls = ["{people.url}"]')
    await w.start()
    w.made.tiktok.expire_access_token()
    w.made.tiktok.revoke_refresh_token()
    w.made.shop.sell_online("TEE", "Berlin", 1)
    await w.until("somebody is asked to take a message", lambda: people.asked > 0)


async def test_people_hear_of_a_dead_token_and_of_its_end(tmp_path: Path) -> None:
    async with listener() as people, running(tmp_path, TEE=10) as w:
        await dead_token(w, people)
        await w.until("it is told", lambda: len(people.took) == 1)
        shop = f"invsyncd {w.made.shop.name}: TikTok"
        assert people.titles == [f"{shop} does not accept our credentials"]
        assert "invsyncd tiktok-login" in people.took[0]["message"]
        login = await w.ask("tiktok-login", "--code", w.made.tiktok.authorise())
        assert login.exit_code == 0
        await w.until("its end is told", lambda: len(people.took) == 2)
        assert people.titles[1:] == [f"{shop} accepts our credentials again"]


async def test_a_stop_does_not_wait_for_a_service_that_does_not_answer(tmp_path: Path) -> None:
    """The service answers only after the process has ended."""
    async with listener() as people, running(tmp_path, TEE=10) as w:
        people.hold_up()
        await dead_token(w, people)
        assert await w.child.stop() == 0
        assert people.took == []
        people.let_go()
        assert "Traceback" not in w.child.log_text()


async def test_alert_test_says_which_service_takes_a_message(tmp_path: Path) -> None:
    async with listener() as people, running(tmp_path) as w:
        w.configure(more=f'[alerts]\nurls = ["{people.url}", "nosuch://canary"]')
        done = await w.command("alert-test")
        assert done.returncode == 1
        assert done.stdout.splitlines() == [
            "alerts.urls[1]: took it",
            "alerts.urls[2]: took no message",
        ]
        assert people.titles == ["invsyncd: a test"]
        assert "canary" not in done.stdout + done.stderr


async def test_alert_test_without_a_service_is_a_mistake_in_the_configuration(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as w:
        done = await w.command("alert-test")
        assert done.returncode == 2
        assert "alerts.urls names no service" in done.stderr
