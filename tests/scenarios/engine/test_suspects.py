"""Items to be read directly: none is forgotten before it is read and committed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from invsyncd.mirror.commit import Committed, Committer
from invsyncd.mirror.suspects import Suspects
from tests.support.virtual import virtual
from tests.support.world import world


@virtual
async def test_an_item_that_is_named_again_after_a_pass_has_read_it_is_read_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world(tmp_path, tiktok={"enabled": False}) as w:
        w.made.add("TEE", 10)
        await w.settle()
        parts = w.running
        assert parts is not None
        (item,) = (await parts.store.levels.items_of_skus({"TEE"}))["TEE"]
        original = Committer.commit

        async def commit(self: Committer, *args: Any, **more: Any) -> Committed:
            # A scan beside the pass sees what no poll shows, and names the item.
            w.made.shop.deactivate("TEE", "Vienna")
            parts.mirror.suspect(frozenset({item}))
            return await original(self, *args, **more)

        parts.mirror.suspect(frozenset({item}))
        with monkeypatch.context() as patched:
            patched.setattr(Committer, "commit", commit)
            await w.once()
        await w.once()
        w.made.shop.sell_online("TEE", "Berlin", 3)
        await w.settle()
        assert w.levels("TEE") == [7, 7, 7, 10]
        levels = (await parts.store.levels.states([item]))[item].levels.values()
        assert sorted(level.active for level in levels) == [False, True, True, True]


def test_what_was_taken_and_not_done_is_taken_again() -> None:
    suspects = Suspects()
    suspects.name({1, 2, 3})
    first = suspects.take(2)
    assert len(first) == 2
    assert suspects
    assert suspects.take(9) == {1, 2, 3}
    assert not suspects
    suspects.give_back()
    assert suspects.take(9) == {1, 2, 3}
    suspects.done()
    assert suspects.take(9) == frozenset()


def test_what_is_named_while_it_is_taken_stays() -> None:
    suspects = Suspects()
    suspects.name({1, 2})
    assert suspects.take(9) == {1, 2}
    suspects.name({2})
    assert not suspects.lacks(frozenset({2}))
    suspects.done()
    assert suspects.lacks(frozenset({1}))
    assert suspects.take(9) == {2}
