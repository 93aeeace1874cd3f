"""Sets levels: one attempt in, one decided outcome out.

The target never chooses a key, changes a row or splits an attempt: the same key must always carry
the same request (another one under an old key is refused, documented).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from invsyncd.core.model import Attempt, LevelWrite
from invsyncd.errors import Unavailable
from invsyncd.net.decode import Shape
from invsyncd.net.retry import Patience, retried
from invsyncd.shopify import documents, parse
from invsyncd.shopify.client import Data, ShopifyClient
from invsyncd.shopify.reply import error_code
from invsyncd.write_reference import reference

_STALE = frozenset({"CHANGE_FROM_QUANTITY_STALE", "COMPARE_QUANTITY_STALE"})
NOT_MUTABLE = "NON_MUTABLE_INVENTORY_ITEM"  # nobody may set this item, such as a bundle
_SPENT = "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"
_FAILED = "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"  # documented: nothing was done; take a new key
_CONCURRENT = "IDEMPOTENCY_CONCURRENT_REQUEST"


@dataclass(frozen=True, slots=True)
class Sent:
    """The requests behind an outcome: the last answer's X-Request-Id and the number of requests.

    `repeated` says that one of them got no answer.
    """

    request_id: str = ""
    tries: int = 1
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Applied:
    """Every row has its value. `at` is the server's second of the write; 0 if it was not given."""

    at: int
    sent: Sent = field(default=Sent(), compare=False)


@dataclass(frozen=True, slots=True)
class NotApplied:
    """These rows were refused, so the other rows were not applied either.

    `stale` holds the indexes of rows whose level had another value than `before`. `refused` maps
    a row's index to (code, message). The other rows may be sent again under a new key, unless
    `others_applied_at` (Unix s) says that they were written after all: every recorded error held
    back the whole call, but no document promises that. `certain` is false if an earlier try of
    the same attempt got no answer: a row may then be stale because that try wrote it.
    `unnamed` is the (code, message) of an error that names no row: some row had the whole call
    refused, and nothing says which.
    """

    stale: frozenset[int] = frozenset()
    refused: Mapping[int, tuple[str, str]] = field(default_factory=dict)
    others_applied_at: int | None = None
    certain: bool = True
    unnamed: tuple[str, str] | None = None
    sent: Sent = field(default=Sent(), compare=False)


@dataclass(frozen=True, slots=True)
class KeySpent:
    """The key is used up and cannot decide: read the levels, then write under a new key."""

    reason: str
    sent: Sent = field(default=Sent(), compare=False)


SetOutcome = Applied | NotApplied | KeySpent


class _StillRunning(Unavailable):
    """An earlier request with this key is still being carried out."""


class ShopifyTarget:
    """The writing side of one shop."""

    def __init__(
        self,
        client: ShopifyClient,
        *,
        patience: Patience | None = None,
    ) -> None:
        self._client = client
        self._patience = patience or Patience(first_s=1.0)

    async def set_levels(self, attempt: Attempt) -> SetOutcome:
        """Send one attempt, repeat it under its own key if need be, and return its outcome.

        Raises Unavailable with `outcome_unknown` if no answer decided: the attempt must be
        repeated with its key, or its levels read. Refused means that the whole request was
        refused before anything was done. Unauthorised and InvalidResponse leave the outcome
        unknown.
        """
        variables = {"key": attempt.key, "input": _input(attempt)}
        certain, tries = True, 0

        async def send() -> SetOutcome:
            nonlocal certain, tries
            answer = await self._client.execute(
                documents.SET_QUANTITIES, variables, op="SET_QUANTITIES"
            )
            certain = certain and not answer.repeated
            tries += answer.tries
            try:
                outcome = self._outcome(answer, attempt, certain)
                return replace(outcome, sent=Sent(answer.request_id, tries, not certain))
            except _StillRunning:
                certain = False
                raise

        return await retried(
            send,
            patience=self._patience,
            # Everything else was already repeated by the client.
            may_repeat=lambda failure: isinstance(failure, _StillRunning),
        )

    def _outcome(self, answer: Data, attempt: Attempt, certain: bool) -> SetOutcome:
        payload = Shape(answer.data, "SET_QUANTITIES").at("inventorySetQuantities")
        errors = payload.at("userErrors").items()
        group = payload.maybe("inventoryAdjustmentGroup")
        written_at = None if group is None else parse.seconds(group.at("createdAt"))
        parse.not_ahead(written_at or 0, answer.now, "shopify SET_QUANTITIES")
        if errors:
            outcome = _not_applied(errors, attempt, self._client.safe_excerpt)
            if isinstance(outcome, KeySpent):
                return outcome
            if outcome.unnamed is not None and written_at is not None:
                return KeySpent("some rows were written, and nothing says which were not")
            return replace(outcome, others_applied_at=written_at, certain=certain)
        # Without a group every row already had its value (recorded). Where the rows move something,
        # an earlier try did it. A time later than that write only makes a late reading wait.
        moves = any(row.before != row.after for row in attempt.rows)
        return Applied(written_at or (answer.now if moves else 0))


def _input(attempt: Attempt) -> dict[str, object]:
    return {
        "name": "available",
        "reason": "correction",
        "referenceDocumentUri": reference(attempt.key, attempt.created_at),
        "quantities": [_row(write) for write in attempt.rows],
    }


def _row(write: LevelWrite) -> dict[str, object]:
    return {
        "inventoryItemId": parse.gid("InventoryItem", write.item),
        "locationId": parse.gid("Location", write.location),
        "quantity": write.after,
        "changeFromQuantity": write.before,
    }


def _not_applied(
    errors: list[Shape], attempt: Attempt, excerpt: Callable[[object], str]
) -> NotApplied | KeySpent:
    stale: set[int] = set()
    refused: dict[int, tuple[str, str]] = {}
    unnamed: tuple[str, str] | None = None
    for error in errors:
        code = error_code(error.object().get("code"))
        message = excerpt(error.at("message").text())
        if code == _CONCURRENT:
            raise _StillRunning(f"shopify SET_QUANTITIES: {code}")
        if code == _FAILED:
            return NotApplied()
        if code == _SPENT:
            return KeySpent(f"{code}: {message}")
        field = error.maybe("field")
        path = [] if field is None else [part.text() for part in field.items()]
        row = _row_named(path, len(attempt.rows))
        rows = range(len(attempt.rows)) if row is None else range(row, row + 1)
        if code in _STALE:
            stale.update(rows)
        elif row is None and not _is_of_the_call(path):
            unnamed = (code, message)
        else:
            refused.update(dict.fromkeys(rows, (code, message)))
    if stale or refused:
        unnamed = None  # those rows come first; without them the call may be good
    return NotApplied(frozenset(stale - refused.keys()), refused, unnamed=unnamed)


def _is_of_the_call(path: Sequence[str]) -> bool:
    """Whether an error names an input beside the rows: then no row is the cause."""
    return len(path) > 1 and "quantities" not in path


def _row_named(path: Sequence[str], count: int) -> int | None:
    """The row that an error names, as in `["input", "quantities", "3", …]`; None for no row."""
    if "quantities" not in path[:-1]:
        return None
    index = path[path.index("quantities") + 1]
    return {str(number): number for number in range(count)}.get(index)
