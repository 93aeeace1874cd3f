"""The advice to people: every reason has a step, and the same step everywhere."""

from __future__ import annotations

import pytest

from invsyncd.core.model import Target
from invsyncd.status.expiry import AuthorisationExpiry
from invsyncd.status.health import Health
from invsyncd.web.document import wrong
from invsyncd.web.words import advice

NOW = 1_795_300_000


def unwell(*, dead: bool) -> Health:
    """A health of which every check has something to say; `dead` credentials, or failing rounds."""
    health = Health(lambda: NOW, 15, list(Target))
    health.expiry = AuthorisationExpiry(lambda: NOW + 86_400, lambda: NOW)
    health.read_at = {1: None}
    health.state_trouble = {Target.SHOPIFY: "the disk is full"}
    health.scan_trouble = health.look_trouble = "no answer within 30 s"
    health.other_writers = {"TEE": "wrote 40 three times within the hour"}
    for target in Target:
        if dead:
            health.unauthorised(target, "HTTP 401")
        else:
            health.troubled(target, "HTTP 500")
            health.targets[target].authorised = True
            health.targets[target].failing_since = 0.0
        health.targets[target].paused = f"{target.value} is paused: 12 of 20 would show 0"
        health.undelivered(target, [("1", "TEE")], 1)
        health.targets[target].undelivered = {("1", "TEE"): 0.0}
    return health


@pytest.mark.parametrize(("dead", "silent"), [(True, "rounds"), (False, "authorised")])
def test_every_reason_comes_with_what_to_do_and_its_cause_once(dead: bool, silent: str) -> None:
    health = unwell(dead=dead)
    quiet = [check.name for check in health.checks() if not check.output]
    assert quiet == [f"{target.value}:{silent}" for target in Target]
    assert [told["check"] for told in wrong(health) if not told["try"]] == []


def test_a_pause_ends_with_its_resume_and_a_catalogue_not_read_with_a_check() -> None:
    for target in Target:
        assert advice(f"{target.value}:paused").endswith(f"`invsyncd resume {target.value}`")
    assert "`invsyncd check`" in advice("shopify:catalogue")
