"""The log: one line per event, in three forms, and never a secret."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import sys
from urllib.parse import quote

import pytest

from invsyncd import logs
from invsyncd.logs import MASK
from tests.support.running import kept_logging

SECRET = "s3cr3t/with+odd=chars"


class Stderr(io.StringIO):
    """Keeps what is written; passes for the stream that this process reads from."""

    def fileno(self) -> int:
        return 0


def read_by_journald(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a service manager sets when journald is at the other end."""
    status = os.fstat(0)
    monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")


def logged(
    monkeypatch: pytest.MonkeyPatch,
    message: str,
    *values: object,
    secrets: tuple[str, ...] = (SECRET,),
    form: str = "text",
    level: int = logging.INFO,
    failure: BaseException | None = None,
) -> str:
    """What one event looks like on stderr."""
    stderr = Stderr()
    with kept_logging(), monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", stderr)
        logs.set_up(secrets, form=form, level="debug")
        logging.getLogger("invsyncd.test").log(level, message, *values, exc_info=failure)
    return stderr.getvalue()


@pytest.fixture(autouse=True)
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not under a service manager, wherever the tests run."""
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)


def failed(text: str) -> ValueError:
    """An exception with a traceback."""
    try:
        raise ValueError(text)
    except ValueError as error:
        return error


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("shape", [SECRET, quote(SECRET, safe=""), f"a{SECRET}b"])
def test_a_secret_is_masked_also_where_a_url_quotes_it(
    monkeypatch: pytest.MonkeyPatch, form: str, shape: str
) -> None:
    line = logged(monkeypatch, "GET /token?app_secret=%s&x=1", shape, form=form)
    assert SECRET not in line
    assert quote(SECRET, safe="") not in line
    assert MASK in line


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_secret_in_a_traceback_is_masked(monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    line = logged(monkeypatch, "failed", form=form, failure=failed(f"no {SECRET}"))
    assert "ValueError" in line
    assert SECRET not in line


def test_of_two_secrets_the_longer_is_masked_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    line = logged(monkeypatch, "token longer-and-longer", secrets=("longer", "longer-and-longer"))
    assert line.rstrip().endswith(f"token {MASK}")


def test_a_secret_too_short_to_be_one_does_not_mask_ordinary_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "from=10" in logged(monkeypatch, "write from=10", secrets=("10", ""))


def test_json_is_one_object_per_line(monkeypatch: pytest.MonkeyPatch) -> None:
    line = logged(monkeypatch, 'write sku=%s\n"quoted"', "TEE", form="json", level=logging.WARNING)
    assert line.count("\n") == 1
    found = json.loads(line)
    assert set(found) == {"at", "level", "message"}
    assert found["level"] == "warning"
    assert found["message"] == 'write sku=TEE\n"quoted"'
    assert found["at"].endswith("+00:00")


def test_text_begins_with_the_moment_in_utc_and_the_level(monkeypatch: pytest.MonkeyPatch) -> None:
    line = logged(monkeypatch, "listening")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00 info    listening\n", line)


@pytest.mark.parametrize(
    ("level", "priority"),
    [(logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6), (logging.DEBUG, 7)],
)
def test_under_journald_a_line_begins_with_its_priority(
    monkeypatch: pytest.MonkeyPatch, level: int, priority: int
) -> None:
    read_by_journald(monkeypatch)
    assert logged(monkeypatch, "listening", level=level) == f"<{priority}>listening\n"


def test_a_stream_that_journald_does_not_read_has_no_priorities(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", "8:1234")  # inherited: stderr goes to a file
    assert logged(monkeypatch, "listening").endswith(" info    listening\n")


@pytest.mark.parametrize("journald", [False, True], ids=["by hand", "journald"])
@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\x0b", "\x1c", "\x85", "\u2028"])
def test_a_sku_with_line_ends_cannot_forge_an_event(
    monkeypatch: pytest.MonkeyPatch, journald: bool, end: str
) -> None:
    """Whatever a reader takes for the end of a line: what follows does not look like ours."""
    if journald:
        read_by_journald(monkeypatch)
    forged = "<3>stopped" if journald else "2026-11-22T03:24:53.000+00:00 error   stopped"
    text = logged(monkeypatch, "write sku=%s", f"TEE{end}{forged}")
    begins = re.compile(r"<\d>|\d{4}-\d\d-\d\dT")
    assert [bool(begins.match(line)) for line in text.splitlines()].count(True) == 1


@pytest.mark.parametrize("escape", ["\x1b[2J", "\x1b]0;title\x07", "\x9b2J"])
def test_a_sku_cannot_command_the_terminal_of_the_reader(
    monkeypatch: pytest.MonkeyPatch, escape: str
) -> None:
    text = logged(monkeypatch, "write sku=%s", f"TEE{escape}")
    assert text.rstrip("\n").isprintable()


def test_a_library_speaks_from_warning_on(monkeypatch: pytest.MonkeyPatch) -> None:
    stderr = io.StringIO()
    with kept_logging(), monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", stderr)
        logs.set_up((), form="text", level="debug")
        logging.getLogger("aiohttp.client").info("chatter")
        logging.getLogger("aiohttp.client").warning("trouble")
    assert "chatter" not in stderr.getvalue()
    assert "trouble" in stderr.getvalue()
