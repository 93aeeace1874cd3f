"""The messages to the service manager, read from a socket that the test holds."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path

import pytest

from invsyncd.daemon.systemd import Notifier
from invsyncd.sandbox.faults import Kind
from tests.support.running import Running, running


class Manager:
    """The receiving end: every message as a dictionary, in the order of their coming."""

    def __init__(self, receiver: socket.socket) -> None:
        self._receiver = receiver
        self.heard: list[dict[str, str]] = []

    def listen(self) -> list[dict[str, str]]:
        """Take in what has come."""
        while True:
            try:
                message = self._receiver.recv(65_536).decode()
            except BlockingIOError:
                return self.heard
            self.heard.append(dict(line.split("=", 1) for line in message.splitlines()))

    def said(self, name: str) -> list[str]:
        """Every value of one name, so far."""
        return [message[name] for message in self.listen() if name in message]

    def status(self) -> str:
        """The newest line."""
        return (self.said("STATUS") or [""])[-1]


@contextmanager
def manager(address: str | bytes) -> Iterator[Manager]:
    """Listen at this address."""
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as receiver:
        receiver.bind(address)
        receiver.setblocking(False)
        yield Manager(receiver)


@asynccontextmanager
async def managed(
    home: Path, monkeypatch: pytest.MonkeyPatch, watchdog_s: float = 0.6, **stock: int
) -> AsyncIterator[tuple[Running, Manager]]:
    """A daemon under a service manager with a watchdog."""
    with manager(str(home / "notify")) as heard:
        monkeypatch.setenv("NOTIFY_SOCKET", str(home / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", str(int(watchdog_s * 1_000_000)))
        async with running(home, **stock) as w:
            yield w, heard


def test_nothing_is_said_where_nobody_listens(tmp_path: Path) -> None:
    Notifier({}).tell(READY=1)
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "nobody")}).tell(READY=1)


def test_an_abstract_socket_is_spoken_to_as_well() -> None:
    name = f"invsyncd-test-{os.getpid()}-{time.monotonic_ns()}"
    with manager(f"\0{name}") as heard:
        Notifier({"NOTIFY_SOCKET": f"@{name}"}).tell(READY=1, STATUS="in step")
        assert heard.listen() == [{"READY": "1", "STATUS": "in step"}]


def test_a_line_end_in_a_reason_cannot_speak_in_our_name(tmp_path: Path) -> None:
    with manager(str(tmp_path / "notify")) as heard:
        Notifier({"NOTIFY_SOCKET": str(tmp_path / "notify")}).tell(STATUS="SKU A\nMAINPID=1\u2028B")
        assert heard.listen() == [{"STATUS": "SKU A MAINPID=1 B"}]


def test_children_do_not_inherit_what_we_were_told() -> None:
    environment = {"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1", "HOME": "/"}
    Notifier(environment)
    assert environment == {"HOME": "/"}


@pytest.mark.parametrize(
    ("pid", "wanted"),
    [("", 30.0), (str(os.getpid()), 30.0), (str(os.getppid()), 30.0), ("1234567", 0.0)],
    ids=["not said", "us", "the launcher of a one-file binary", "somebody else"],
)
def test_the_watchdog_is_ours_only_where_we_are_meant(pid: str, wanted: float) -> None:
    asked = {"WATCHDOG_USEC": "30000000", **({"WATCHDOG_PID": pid} if pid else {})}
    assert Notifier(asked).watchdog_s == wanted


@pytest.mark.parametrize("usec", ["", "soon", "-5", "²"])
def test_a_watchdog_without_a_time_is_none(usec: str) -> None:
    assert Notifier({"WATCHDOG_USEC": usec}).watchdog_s == 0.0


async def test_ready_is_said_before_the_first_baseline_and_the_line_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with managed(tmp_path, monkeypatch, TEE=10) as (w, heard):
        w.made.shopify_faults.add(Kind.ERROR_BEFORE, times=1_000_000)
        await w.child.start()
        await w.until("ready is said", lambda: heard.said("READY") == ["1"])
        await w.until("with a reason", lambda: "not ready: " in heard.status())
        w.made.shopify_faults.clear()
        await w.until("then it is in step", lambda: heard.status().startswith("in step: 1 items"))


async def test_reload_and_stop_are_said_and_a_bad_configuration_stays_in_the_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with managed(tmp_path, monkeypatch, TEE=10) as (w, heard):
        await w.start()
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        w.configure(percent=50)
        w.child.reload()
        await w.until("TikTok shows half", lambda: w.agrees("TEE", 10, shown=5))
        assert heard.said("RELOADING") == ["1"]
        assert heard.said("READY") == ["1", "1"]
        (moment,) = heard.said("MONOTONIC_USEC")
        assert before <= int(moment) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        w.configure(percent=101)
        w.child.reload()
        await w.until("ready again", lambda: heard.said("READY") == ["1"] * 3)
        await w.until(
            "the line goes on saying so",
            lambda: "in step" in heard.status() and "reload was refused" in heard.status(),
        )
        assert await w.child.stop() == 0
        assert heard.said("STOPPING") == ["1"]
        assert int(heard.said("EXTEND_TIMEOUT_USEC")[0]) >= 20_000_000


async def test_the_sign_of_life_stops_when_a_pass_hangs_and_comes_back_when_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with managed(tmp_path, monkeypatch, TEE=10) as (w, heard):
        w.configure(tiktok=False, more="[daemon]\nhung_s = 5")
        await w.start()
        await w.until("signs of life", lambda: len(heard.said("WATCHDOG")) > 2)
        w.made.shopify_faults.add(Kind.SLOW, match="Poll", times=3, delay_s=8)
        await w.until("it says so", lambda: heard.status().startswith("hung: "))
        signs = len(heard.said("WATCHDOG"))
        assert (await w.get("/livez")).status == 503
        assert len(heard.said("WATCHDOG")) == signs
        await w.until("signs again", lambda: len(heard.said("WATCHDOG")) > signs)
        assert w.child.log_text().count("hung: no progress for 5 s: mirror") == 1


async def test_the_sign_of_life_stops_when_the_loop_is_blocked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with managed(tmp_path, monkeypatch, TEE=10) as (w, heard):
        await w.start()
        await w.until("signs of life", lambda: len(heard.said("WATCHDOG")) > 2)
        os.kill(w.child.pid, signal.SIGSTOP)
        signs = len(heard.said("WATCHDOG"))
        await asyncio.sleep(1)
        assert len(heard.said("WATCHDOG")) <= signs + 1
        os.kill(w.child.pid, signal.SIGCONT)
        await w.until("signs again", lambda: len(heard.said("WATCHDOG")) > signs + 1)
