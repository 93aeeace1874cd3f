"""What mirroring will do to unequal items is said item by item, and in total."""

from __future__ import annotations

from invsyncd.core.model import Item, ItemState, Level, Standing, Unlevelled
from invsyncd.setup.unequal import SHOWN_MAX, ChoiceTotal, Preview, preview_lines, with_items

NAMES = {1: "Berlin", 2: "Paris"}


def state(item: int, *units: int, standing: Standing = Standing.FOLLOWING) -> ItemState:
    levels = {
        at: Level(item, at, n, 0, n, 100 + at, counted_at=100 + at) for at, n in enumerate(units, 1)
    }
    return ItemState(Item(item, f"SKU-{item}", standing=standing), levels)


def test_every_choice_is_told_with_its_numbers_and_its_totals() -> None:
    states = [state(1, 10, 14), state(2, 5, 2), state(3, 8, 8, standing=Standing.POOLED)]
    preview = with_items(Preview(), states, (1, 2))
    assert (preview.items, preview.unequal) == (3, 2)
    assert preview.first[0].gives == {
        Unlevelled.LOWEST: 10,
        Unlevelled.HIGHEST: 14,
        Unlevelled.LATEST: 14,
    }
    assert preview.effects[Unlevelled.LOWEST] == ChoiceTotal(levels=2, up=0, down=7)
    assert preview.effects[Unlevelled.HIGHEST] == ChoiceTotal(levels=2, up=7, down=0)
    assert preview.effects[Unlevelled.LATEST] == ChoiceTotal(levels=2, up=4, down=3)
    text = "\n".join(preview_lines(preview, NAMES))
    assert "2 of 3 items show different numbers" in text
    assert "SKU-1: Berlin 10 · Paris 14 → lowest 10, highest 14, latest 14" in text
    assert "sets 2 levels at once: 7 units fewer, 0 more" in text
    assert "follow   writes nothing now" in text


def test_only_the_first_are_shown_and_the_rest_is_counted() -> None:
    preview = with_items(Preview(), [state(n, 1, 2) for n in range(1, 301)], (1, 2))
    lines = preview_lines(preview, NAMES)
    assert len([line for line in lines if "SKU-" in line]) == SHOWN_MAX
    assert "  … and 290 more" in lines


def test_what_is_not_mirrored_is_not_counted() -> None:
    out = state(1, 1, 2, standing=Standing.OUT)
    elsewhere = state(2, 3)
    preview = with_items(Preview(), [out, elsewhere], (2,))
    assert preview == Preview()
    assert preview_lines(Preview(items=4), NAMES) == [
        "4 items, each with one number everywhere: no change."
    ]
