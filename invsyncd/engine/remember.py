"""What the health checks, the metrics and the log are told after a pass over Shopify."""

from __future__ import annotations

import logging

from invsyncd.core.merge import Case
from invsyncd.core.model import Target
from invsyncd.engine.health import Health
from invsyncd.engine.report import PassReport
from invsyncd.metrics import Metrics
from invsyncd.store import Store
from invsyncd.text import told_apart

log = logging.getLogger(__name__)


async def remember(
    report: PassReport, store: Store, health: Health, metrics: Metrics, now: float
) -> None:
    """Facts of the pass that just ended at `now`, in Unix seconds, and of what is owed after it."""
    failures = report.failures_of(Target.SHOPIFY)
    known = [k for k in await store.locations.all() if k.location.active]
    health.read_at = {k.location.id: k.read_at for k in known}
    health.places = told_apart({k.location.id: k.location.name for k in known})
    owed = await store.arrears.levels()
    health.undelivered(Target.SHOPIFY, owed.keys, owed.count)
    health.last_pass = {
        "id": report.pass_id,
        "at": int(now),
        "changes": len(report.changes),
        "writes": len(report.writes),
        "errors": [str(error) for error in failures],
    }
    metrics.passes.labels("failed" if failures else "ok").inc()
    metrics.changes.inc(len(report.changes))
    contradictions = {c["item"] for c in report.changes if c["case"] == Case.CONFLICT}
    metrics.contradictions.inc(len(contradictions))
    metrics.held.set(len(await store.census.held()))
    if report.changes or report.writes:
        log.info(
            "pass=%s changes=%d writes=%d errors=%d",
            report.pass_id,
            len(report.changes),
            len(report.writes),
            len(failures),
        )
