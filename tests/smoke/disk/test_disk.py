"""A share of `python -m stress.disk`: recovery after crashes, reports of refusals."""

from __future__ import annotations

import pytest

from stress.disk.cuts import crashes
from stress.disk.record import Op, strace
from stress.disk.refused import Trouble, meet
from stress.disk.stories import STORIES, Story, interrupted

needs_strace = pytest.mark.skipif(strace is None, reason="no strace")


@needs_strace
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name.replace(" ", "-"))
def test_what_a_crash_in_the_middle_leaves_can_be_gone_on_with(story: Story) -> None:
    found = interrupted(story, seed=1, cuts=2, every=9)
    assert found.wrong == []
    assert found.kills > 5
    assert found.cuts == 2 * found.kills


def test_a_power_cut_keeps_what_was_synced_and_any_part_of_the_rest() -> None:
    ops = [
        Op("write", "a", 0, b"1" * 1024),
        Op("sync", "a"),
        Op("write", "a", 512, b"2" * 1024),
    ]
    last = {left.files["a"] for left in crashes({}, ops, seed=1, cuts=200) if left.at == 3}
    assert b"1" * 512 + b"2" * 1024 in last  # all of it, as after a kill
    assert b"1" * 1024 in last  # nothing of it
    assert b"1" * 1024 + b"2" * 512 in last  # the second sector before the first
    assert b"1" * 512 + b"2" * 512 + b"\0" * 512 in last  # the new length without its bytes
    assert all(content.startswith(b"1" * 512) for content in last)


def test_a_renamed_file_is_found_under_its_new_name_alone() -> None:
    ops = [Op("write", "a", 0, b"x"), Op("sync", "a"), Op("rename", "a", data=b"b")]
    *_, last = crashes({}, ops, seed=1, cuts=0)
    assert last.files == {"b": b"x"}


@needs_strace
def test_a_database_that_is_not_synced_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oracle can say no: the same log without its syncs."""
    transaction = next(story for story in STORIES if story.victim == "commit")
    monkeypatch.setattr("stress.disk.cuts._File.sync", lambda self: None)
    assert interrupted(transaction, seed=1, cuts=2, every=25).wrong


@needs_strace
@pytest.mark.timeout(180)  # seven processes, some under strace
@pytest.mark.parametrize(
    "trouble",
    [
        Trouble("pwrite64", "ENOSPC", 5, only=False),
        Trouble("fdatasync", "EIO", 2, only=True),
    ],
    ids=lambda trouble: trouble.name.replace(" ", "-"),
)
async def test_a_disk_that_refuses_is_named_with_advice_and_the_sale_is_not_lost(
    trouble: Trouble,
) -> None:
    seen = await meet(trouble)
    assert (seen.code, seen.wrong) == (1, "")
    assert "the state database" in seen.said
