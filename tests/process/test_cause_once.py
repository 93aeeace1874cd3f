"""One cause is said once, first, and what follows from it stands under it.

The kind: a shop that does not answer makes every location old, every write late and the baseline
incomplete. Told one by one, these hide their cause.
"""

from __future__ import annotations

from invsyncd.core.model import Target
from invsyncd.status.health import Health
from invsyncd.web.document import wrong

START = 1_780_000_000.0
PLACES = {1: "Berlin", 2: "Hamburg", 3: "Munich", 4: "Vienna"}


def well(now: list[float]) -> Health:
    """Everything works, at `now[0]`."""
    health = Health(lambda: now[0], 2, list(Target))
    health.baseline = True
    health.location_names = PLACES
    health.read_at = dict.fromkeys(PLACES, START)
    for target in Target:
        health.went_well(target)
    return health


def test_a_dead_shopify_is_one_reason_with_since_when_and_that_nothing_is_lost() -> None:
    now = [START]
    health = well(now)
    health.troubled(Target.SHOPIFY, "shopify POLL: cannot connect")
    health.undelivered(Target.SHOPIFY, [(1, 2)], 12)
    now[0] += 400
    health.troubled(Target.SHOPIFY, "shopify POLL: cannot connect")
    (one,) = wrong(health)
    since = "since 20:26 UTC"
    assert one["says"] == (
        f"Shopify has not worked {since}: shopify POLL: cannot connect. Nothing is lost; it is"
        " tried again by itself"
    )
    assert not one["note"]
    assert len(one["follows"]) == 5
    (note,) = health.document()[1]["notes"]
    assert note.startswith(one["says"])
    assert 'the locations "Berlin", "Hamburg", "Munich" and "Vienna" were last read 400 s' in note
    assert "12 writes wait" in note


def test_before_five_minutes_it_is_red_too_where_a_location_is_old() -> None:
    now = [START]
    health = well(now)
    now[0] += 60
    health.troubled(Target.SHOPIFY, "shopify POLL: cannot connect")
    (one,) = wrong(health)
    assert (one["check"], one["note"]) == ("shopify:authorised", False)


def test_a_location_alone_is_a_reason_of_its_own() -> None:
    now = [START]
    health = well(now)
    now[0] += 100
    health.read_at |= {1: now[0], 2: now[0], 3: now[0]}
    (one,) = wrong(health)
    assert (one["says"], one["follows"]) == ('location "Vienna" was last read 100 s ago', [])


def test_what_waits_for_a_paused_target_stands_under_its_pause() -> None:
    now = [START]
    health = well(now)
    health.targets[Target.TIKTOK].paused = "tiktok is paused: too much. A mistake? …"
    health.undelivered(Target.TIKTOK, [("1", "2")], 1)
    now[0] += 400
    health.read_at = dict.fromkeys(PLACES, now[0])
    (one,) = wrong(health)
    assert one["check"] == "tiktok:paused"
    assert len(one["follows"]) == 1


def test_one_side_s_trouble_folds_nothing_of_the_other() -> None:
    now = [START]
    health = well(now)
    health.unauthorised(Target.TIKTOK, "tiktok TOKEN: HTTP 401")
    health.undelivered(Target.SHOPIFY, [(1, 2)], 1)
    now[0] += 400
    health.read_at = dict.fromkeys(PLACES, now[0])
    assert [(x["check"], x["follows"]) for x in wrong(health)] == [
        ("shopify:undelivered_age", []),
        ("tiktok:authorised", []),
    ]
