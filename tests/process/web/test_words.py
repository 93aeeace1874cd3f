"""The advice to people: every reason has a step, and the same step everywhere."""

from __future__ import annotations

from invsyncd.core.model import Target
from invsyncd.status.expiry import AuthorisationExpiry
from invsyncd.status.health import Health
from invsyncd.web.document import wrong
from invsyncd.web.words import advice

NOW = 1_795_300_000


def unwell() -> Health:
    """A health of which every check has something to say."""
    health = Health(lambda: NOW, 15, list(Target))
    health.expiry = AuthorisationExpiry(lambda: NOW + 86_400, lambda: NOW)
    health.read_at = {1: None}
    health.state_trouble = {Target.SHOPIFY: "the disk is full"}
    health.scan_trouble = health.look_trouble = "no answer within 30 s"
    health.other_writers = {"TEE": "wrote 40 three times within the hour"}
    for target in Target:
        health.unauthorised(target, "HTTP 401")
        health.targets[target].paused = f"{target.value} is paused: 12 of 20 would show 0"
        health.undelivered(target, [("1", "TEE")], 1)
        health.targets[target].undelivered = {("1", "TEE"): 0.0}
    return health


def test_every_reason_comes_with_what_to_do() -> None:
    health = unwell()
    assert all(check.output for check in health.checks())
    assert [told["check"] for told in wrong(health) if not told["try"]] == []


def test_a_pause_ends_with_its_resume_and_a_catalogue_not_read_with_a_check() -> None:
    for target in Target:
        assert advice(f"{target.value}:paused").endswith(f"`invsyncd resume {target.value}`")
    assert "`invsyncd check`" in advice("shopify:catalogue")
