"""The JSON Schema of each command's --json output; strict, so that a new key is noticed."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
UNITS: Schema = {"type": "integer"}
MAYBE_UNITS: Schema = {"type": ["integer", "null"]}
ID: Schema = {"type": "integer"}
MAYBE_TEXT: Schema = {"type": ["string", "null"]}
YES_NO: Schema = {"type": "boolean"}
TARGET: Schema = {"enum": ["shopify", "tiktok"]}


def obj(optional: dict[str, Schema] | None = None, **needed: Schema) -> Schema:
    """An object with exactly these keys."""
    return {
        "type": "object",
        "properties": {**needed, **(optional or {})},
        "required": list(needed),
        "additionalProperties": False,
    }


def many(of: Schema) -> Schema:
    return {"type": "array", "items": of}


def by_name(of: Schema) -> Schema:
    return {"type": "object", "additionalProperties": of}


def by_target(of: Schema) -> Schema:
    return {**by_name(of), "propertyNames": TARGET}


LEVEL_KEY = obj(item=ID, location=ID)
OFFER_KEY = obj(product_id=TEXT, sku_id=TEXT, warehouse=TEXT)
KEY: Schema = {"oneOf": [LEVEL_KEY, OFFER_KEY]}
HELD = obj(sku=TEXT, item=ID)
NUMBER = obj(
    target=TARGET,
    sku=TEXT,
    item={"type": ["integer", "null"]},
    where=TEXT,
    shown=MAYBE_UNITS,
    should=MAYBE_UNITS,
    offered_too_much=YES_NO,
    since={"type": ["integer", "null"]},
    because=TEXT,
    **{"try": TEXT},
)
HELD_WITH_ADVICE = obj(sku=TEXT, item=ID, choices=TEXT, resolve=TEXT)
SHIFT = {
    "target": TARGET,
    "sku": TEXT,
    "where": TEXT,
    "key": KEY,
    "from": MAYBE_UNITS,
    "to": UNITS,
}
EFFECTS = ("raised", "lowered", "zeroed", "newly unlimited", "unchanged", "no longer written")
ROW = obj(**SHIFT, effect={"enum": list(EFFECTS)})

ONCE = obj(
    {"paused": by_target(TEXT)},
    **{"pass": TEXT},
    changes=many(
        obj(
            **{"from": UNITS, "to": UNITS, "orders": UNITS, "stock": UNITS},
            received=UNITS,
            set_aside=UNITS,
            sku=TEXT,
            item=ID,
            location=ID,
            pool=MAYBE_UNITS,
            case=TEXT,
        )
    ),
    writes=many(
        obj(
            **{"from": MAYBE_UNITS, "to": UNITS, "key": KEY, "target": TARGET},
            sku=TEXT,
            reason=TEXT,
            outcome=TEXT,
        )
    ),
    held=many(HELD),
    errors=many(TEXT),
)
CHECK = obj(
    ok=YES_NO,
    findings=many(
        obj(
            what=TEXT,
            ok=YES_NO,
            state={"enum": ["ok", "wrong", "to do", "not tried"]},
            says=TEXT,
            advice=TEXT,
            count={"type": ["integer", "null"]},
            names=many(TEXT),
        )
    ),
)
GROUP = obj(says=TEXT, count=COUNT, first=many(TEXT))
LISTINGS = obj(known=COUNT, matched=COUNT, groups=by_name(many(GROUP)))
MAXIMUM = {
    "oneOf": [
        obj(**{"try": TEXT}, units=COUNT, says=TEXT),
        {"type": "null"},
    ]
}
NUMBERS = by_name({"type": ["number", "null"]})
POINT: Schema = {"type": ["number", "null"]}
POINTS: dict[str, Schema] = dict.fromkeys(
    ("left", "capacity", "restore_per_s", "others_per_s", "poll_every_s"), POINT
)
LAG_OF_TARGET = obj(
    count=COUNT,
    median_s={"type": ["number", "null"]},
    slowest_s={"type": ["number", "null"]},
    series={"type": "array"},
)
STATUS_OF_DAEMON = obj(
    {"listings": LISTINGS, "max_quantity": MAXIMUM},
    shop=TEXT,
    now=COUNT,
    budgets=obj({"tiktok": obj(calls_per_s=NUMBERS)}, shopify=obj(**POINTS, one_by_one=TEXT)),
    wrong=many(obj(**{"try": MAYBE_TEXT}, check=TEXT, note=YES_NO, says=TEXT, follows=many(TEXT))),
    owed_since=by_target({"type": ["number", "null"]}),
    lag=obj(bucket_s=COUNT, buckets=COUNT, ends_at=COUNT, targets=by_target(LAG_OF_TARGET)),
    pauses=by_target(obj(because=TEXT, passes=many(TEXT), by_hand=TEXT)),
    holds=obj(
        count=COUNT,
        first=many(
            obj(
                sku=TEXT,
                because=TEXT,
                resolve=TEXT,
                choices=many(obj(use=TEXT, name=TEXT, units={"type": "integer"})),
            )
        ),
    ),
    parked={"oneOf": [obj(count=COUNT, first={"type": "array"}), {"type": "null"}]},
    journal=many(obj(at=COUNT, kind=TEXT, sku=TEXT, says=TEXT, lines=COUNT, **{"pass": TEXT})),
    items=COUNT,
    source={"const": "the running daemon"},
    version=TEXT,
    ready=YES_NO,
    reasons=many(TEXT),
    started_at=TEXT,
    last_pass={"type": "object"},
    locations=by_name(MAYBE_TEXT),
    targets=by_target(obj(authorised=YES_NO, trouble=TEXT, paused=TEXT, undelivered=COUNT)),
    held=many(HELD_WITH_ADVICE),
    numbers=many(NUMBER),
)
STATUS_OF_DATABASE = obj(
    {"listings": LISTINGS, "max_quantity": MAXIMUM},
    source={"const": "the state database; no daemon answers"},
    locations=by_name(MAYBE_TEXT),
    targets=by_target(obj(paused=TEXT, undelivered=COUNT)),
    held=many(HELD_WITH_ADVICE),
    numbers=many(NUMBER),
    owed=COUNT,
)
STATUS: Schema = {"oneOf": [STATUS_OF_DAEMON, STATUS_OF_DATABASE]}
PLAN = obj(
    new=TEXT,
    as_of=MAYBE_TEXT,
    totals={
        **by_target(obj(**{effect.replace(" ", "_"): COUNT for effect in EFFECTS})),
        "required": ["shopify", "tiktok"],
    },
    rows=many(ROW),
    would_pause=by_target(TEXT),
    unknown=many(TEXT),
)
UNDO = obj(
    **{"pass": TEXT},
    done={
        "enum": [
            "dry run",
            "nothing to take back",
            "left to the running daemon",
            "left to the next run",
            "done",
        ]
    },
    items=many(obj(sku=TEXT, item=ID, pool_from=UNITS, pool_to=UNITS, writes=many(ROW))),
    refused=many(obj(sku=TEXT, item={"type": ["integer", "null"]}, because=TEXT)),
    paused=by_target(TEXT),
)
LINE: Schema = {  # its other keys are the numbers of its kind
    "type": "object",
    "properties": {
        "id": ID,
        "at": ID,
        "pass": TEXT,
        "kind": TEXT,
        "item": {"type": ["integer", "null"]},
        "sku": TEXT,
        "says": TEXT,
    },
    "required": ["id", "at", "pass", "kind", "item", "sku", "says"],
}
JOURNAL: Schema = {
    "type": "object",
    "properties": {"journal": many(LINE)},
    "required": ["journal"],
}
EXPLAIN: Schema = {
    "type": "object",
    "properties": {
        "sku": TEXT,
        "items": many(
            {
                "type": "object",
                "properties": {
                    "item": ID,
                    "sku": TEXT,
                    "standing": TEXT,
                    "pool": MAYBE_UNITS,
                    "levels": {"type": "array"},
                    "listings": {"type": "array"},
                },
                "required": ["item", "sku", "standing", "pool", "levels", "listings"],
            }
        ),
        "journal": many(LINE),
    },
    "required": ["sku", "items", "journal"],
}

OF: dict[str, Schema] = {
    "once": ONCE,
    "check": CHECK,
    "status": STATUS,
    "explain": EXPLAIN,
    "journal": JOURNAL,
    "plan": PLAN,
    "undo": UNDO,
}
