"""The rate limit of the fake gateway, for each shop and class of endpoints.

Source: Partner Center, "Rate limits". No rate is published. The rate depends on the size of the app
and the weight of the endpoint; bursts below a second are throttled too; Retry-After may be missing.
"""

import math
from collections import Counter
from collections.abc import Callable

from invsyncd.sandbox.tiktok.envelope import RefusedError, refuse

CLASSES = {
    "shops": "list",
    "warehouses": "list",
    "search_products": "list",
    "product": "detail",
    "inventory_search": "stock",
    "update_inventory": "write",
}
"""The class of every endpoint by its name: lists, product details, stock and writes."""


class Throttle:
    """A token bucket for each App x Shop and endpoint class.

    `rate` holds for every class that `rates` does not name. Both are in requests per second, and
    None is no limit. `clock` gives Unix seconds. The other attributes describe a refusal:
    `status` and `code` of the answer, and whether it carries Retry-After.
    """

    def __init__(self, rate: float | None, clock: Callable[[], float]) -> None:
        self.rate = rate
        self.rates: dict[str, float | None] = {}
        self.status, self.code = 429, 36009002
        self.sends_retry_after = True
        self.refused: Counter[str] = Counter()
        self._clock = clock
        self._buckets: dict[tuple[str, str], tuple[float, float]] = {}

    def limit(self, endpoint_class: str, rate: float | None) -> None:
        """Limit one class ("list", "detail", "stock" or "write"), in requests per second."""
        if endpoint_class not in CLASSES.values():
            raise ValueError(f"{endpoint_class!r} is none of {sorted(set(CLASSES.values()))}")
        self.rates[endpoint_class] = rate

    def take(self, shop: str, endpoint: str) -> None:
        """Take one token, or refuse and say in whole seconds when there will be one."""
        endpoint_class = CLASSES[endpoint]
        rate = self.rates.get(endpoint_class, self.rate)
        if rate is None:
            return
        full, now = max(1.0, rate), self._clock()
        tokens, since = self._buckets.get((shop, endpoint_class), (full, now))
        tokens = min(full, tokens + max(0.0, now - since) * rate)
        granted = tokens >= 1
        self._buckets[shop, endpoint_class] = (tokens - granted, now)
        if not granted:
            self.refused[endpoint] += 1
            raise self._refusal(max(1, math.ceil((1 - tokens) / rate)))

    def _refusal(self, wait_s: int) -> RefusedError:
        message = refuse("throttled").message
        after = wait_s if self.sends_retry_after else None
        return RefusedError(self.code, message, self.status, after)
