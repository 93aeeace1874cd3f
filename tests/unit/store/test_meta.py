"""Small facts, tokens, and what was reported once."""

from __future__ import annotations

from pathlib import Path

from invsyncd.store import Store


async def test_a_fact_is_none_until_it_is_set_and_then_the_last_one_set(store: Store) -> None:
    assert await store.meta.get("baseline") is None
    async with store.transaction() as tx:
        await store.meta.set(tx, "baseline", "pass 1")
        await store.meta.set(tx, "baseline", "pass 2")
    assert await store.meta.get("baseline") == "pass 2"


async def test_tokens_are_replaced_by_name_and_kept_apart_from_facts(path: Path) -> None:
    async with Store.open(path) as store, store.transaction() as tx:
        await store.meta.save_tokens(tx, {"access": "1", "refresh": "2"})
        await store.meta.save_tokens(tx, {"access": "3"})
    async with Store.open(path) as store:
        assert await store.meta.tokens() == {"access": "3", "refresh": "2"}
        assert await store.meta.get("access") is None


async def test_what_was_reported_is_reported_again_only_after_it_ended(store: Store) -> None:
    async with store.transaction() as tx:
        assert await store.reported.changed(tx, "shared", ["b", "a"]) == ["a", "b"]
        assert await store.reported.changed(tx, "shared", ["a", "c"]) == ["c"]
        assert await store.reported.changed(tx, "closed", ["a"]) == ["a"]
        assert await store.reported.changed(tx, "shared", ["a", "b"]) == ["b"]
