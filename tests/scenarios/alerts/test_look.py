"""The snapshot of each reason, from a real health and a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from invsyncd.alerts.decide import Announced, Memory, Snapshot
from invsyncd.alerts.loop import load_memory, save_memory
from invsyncd.alerts.snapshot import take_snapshot
from invsyncd.config import Settings
from invsyncd.core.model import Target
from invsyncd.status.checks import Check
from invsyncd.status.expiry import ADVICE, AHEAD_S, AuthorisationExpiry
from invsyncd.status.health import Health
from invsyncd.store import Store
from invsyncd.web.words import advice

NOW = 1_795_300_000.0


class Place:
    """A health, a store and the configuration of both."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self.settings, self.store = settings, store
        self.health = Health(lambda: NOW, 15, list(Target))

    def works(self) -> None:
        """Everything is as it should be."""
        self.health.baseline = True
        self.health.location_names, self.health.read_at = {1: "Berlin"}, {1: NOW}
        for target in Target:
            self.health.went_well(target)

    async def look(self) -> Snapshot:
        """What is seen now."""
        return await take_snapshot(self.settings, self.store, self.health, NOW)

    async def standing(self, topic: str) -> bool | None:
        """Whether a reason is bad; None while it is not known."""
        found = (await self.look()).situations.get(topic)
        return None if found is None else found.bad

    async def token_ends(self, in_s: float) -> None:
        """TikTok's authorisation ends so soon."""
        async with self.store.transaction() as tx:
            await self.store.meta.save_tokens(tx, {"refresh_expires_at": str(int(NOW + in_s))})

    async def fact(self, key: str, value: str) -> None:
        """Set a fact."""
        async with self.store.transaction() as tx:
            await self.store.meta.set(tx, key, value)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    settings = Settings(
        shopify={"shop": "acme.myshopify.com", "access_token": "shpat_x"},
        mirror={"enabled": True},
        tiktok={
            "enabled": True,
            "app_key": "key",
            "app_secret": "app-secret",
            "mapping": [{"locations": ["*"], "warehouse": "7"}],
        },
        state={"path": tmp_path / "state.db"},
    )
    async with Store.open(settings.state.path) as store:
        yield Place(settings, store)


async def test_all_is_well_when_it_is(place: Place) -> None:
    place.works()
    snapshot = await place.look()
    assert snapshot.ready
    assert snapshot.reasons == ()
    assert [topic for topic, situation in snapshot.situations.items() if situation.bad] == []


async def test_credentials_that_were_not_tried_yet_are_neither_dead_nor_alive(place: Place) -> None:
    for target in Target:
        assert await place.standing(f"credentials {target.value}") is None
        place.health.troubled(target, "no answer within 30 s")
        assert await place.standing(f"credentials {target.value}") is None


@pytest.mark.parametrize("target", Target)
async def test_dead_credentials_are_bad_until_they_are_taken_whatever_else_fails(
    place: Place, target: Target
) -> None:
    topic = f"credentials {target.value}"
    place.works()
    place.health.unauthorised(target, "HTTP 401")
    assert await place.standing(topic) is True
    assert "HTTP 401" in (await place.look()).situations[topic].text
    place.health.troubled(target, "no answer within 30 s")
    assert await place.standing(topic) is True
    place.health.went_well(target)
    assert await place.standing(topic) is False


async def test_the_other_target_is_said_to_go_on_only_where_there_is_one(place: Place) -> None:
    both = place.settings
    place.health.unauthorised(Target.SHOPIFY, "HTTP 401")
    place.health.unauthorised(Target.TIKTOK, "HTTP 401")

    async def text(target: Target) -> str:
        return (await place.look()).situations[f"credentials {target.value}"].text

    assert "TikTok goes on" in await text(Target.SHOPIFY)
    assert "Shopify goes on" in await text(Target.TIKTOK)
    off = both.mirror.model_copy(update={"enabled": False})
    place.settings = both.model_copy(update={"mirror": off})
    assert "TikTok goes on" in await text(Target.SHOPIFY)
    assert "goes on" not in await text(Target.TIKTOK)
    place.settings = both
    del place.health.targets[Target.TIKTOK]
    assert "goes on" not in await text(Target.SHOPIFY)


async def test_page_alarm_and_log_give_the_same_advice_where_the_seller_must_authorise(
    place: Place,
) -> None:
    await place.token_ends(0)
    place.health.unauthorised(Target.TIKTOK, "HTTP 401")
    situations = (await place.look()).situations
    log = AuthorisationExpiry(lambda: int(NOW), lambda: NOW).warning()
    alarms = (situations["credentials tiktok"].text, situations["refresh token"].text)
    pages = (advice("tiktok:authorised"), advice("tiktok:authorisation_left"))
    assert [ADVICE in told for told in (log, *alarms, *pages)] == [True] * 5
    assert "`invsyncd tiktok-login --code CODE`" in ADVICE


@pytest.mark.parametrize("target", Target)
async def test_a_pause_is_known_before_the_first_round_after_a_start(
    place: Place, target: Target
) -> None:
    topic = f"paused {target.value}"
    assert await place.standing(topic) is False
    await place.fact(f"paused:{target.value}", "12 of 20 listings would show 0")
    assert await place.standing(topic) is True
    text = (await place.look()).situations[topic].text
    assert "12 of 20 listings would show 0" in text
    assert f"invsyncd resume {target.value}" in text


async def test_a_pause_is_told_once_and_hides_nothing_but_what_waits(place: Place) -> None:
    place.works()
    await place.fact("paused:shopify", "12 of 20 mirrored items would show 0")
    place.health.targets[Target.SHOPIFY].paused = "shopify is paused"
    place.health.targets[Target.SHOPIFY].undelivered = {(1, 2): NOW - 3600}
    place.health.read_at = {1: NOW - 3600}
    assert (await place.look()).reasons == ('location "Berlin" was last read 3600 s ago',)


async def test_the_refresh_token_is_told_of_from_14_days_before_its_end(place: Place) -> None:
    assert await place.standing("refresh token") is None
    assert AHEAD_S == 14 * 86_400
    await place.token_ends(AHEAD_S + 1)
    assert await place.standing("refresh token") is False
    await place.token_ends(AHEAD_S)
    assert await place.standing("refresh token") is True
    assert "It ends on 2026-12-05" in (await place.look()).situations["refresh token"].text


async def test_another_writer_is_told_of_with_the_words_of_the_health(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.works()
    assert await place.standing("writer") is False
    mine = Health.checks
    check = Check("shopify:mirror", True, "TEE at Berlin was set back 5 times", other_writer=True)
    monkeypatch.setattr(Health, "checks", lambda health: [*mine(health), check])
    assert await place.standing("writer") is True
    assert (await place.look()).situations["writer"].text == check.output


async def test_what_follows_from_dead_credentials_is_not_a_reason_of_its_own(place: Place) -> None:
    place.works()
    place.health.read_at = {1: NOW - 3600}
    assert (await place.look()).reasons == ('location "Berlin" was last read 3600 s ago',)
    place.health.unauthorised(Target.SHOPIFY, "HTTP 401")
    place.health.baseline = False
    snapshot = await place.look()
    assert snapshot.reasons == ()
    assert not snapshot.ready


async def test_what_was_told_is_remembered_over_a_restart(place: Place) -> None:
    memory = Memory({"paused": Announced(NOW, True)}, NOW - 10, frozenset({1, 2}))
    assert await load_memory(place.store) == Memory()
    assert await save_memory(place.store, memory)
    assert await load_memory(place.store) == memory


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"told": {"a": 1}}',
        '{"told": [], "not_ready_since": null, "held": []}',
    ],
)
async def test_a_memory_that_cannot_be_read_is_none(place: Place, text: str) -> None:
    await place.fact("alerts", text)
    assert await load_memory(place.store) == Memory()
