"""Refusals of Update Inventory that a test orders: any code, for a call, a SKU or one warehouse.

Refusals by TikTok's documented rules are in `update`. This module is for those whose cause the
marketplace does not model (an auction, a permission, an internal error).
"""

from dataclasses import dataclass

Error = tuple[int, str]


@dataclass(slots=True)
class _Order:
    error: Error
    left: int | None


class OrderedRefusals:
    """The orders in force, one for each call, SKU or warehouse of a SKU."""

    def __init__(self) -> None:
        self._orders: dict[tuple[str | None, str | None], _Order] = {}

    def order(
        self, error: Error, sku_id: str | None, warehouse: str | None, times: int | None
    ) -> None:
        """Refuse from now on, for the next `times` calls that match; None is until `clear`."""
        if warehouse is not None and sku_id is None:
            raise ValueError("a warehouse is refused for a SKU: name both")
        self._orders[sku_id, warehouse] = _Order(error, times)

    def clear(self) -> None:
        """Drop all orders."""
        self._orders.clear()

    def take(self, sku_id: str | None = None, warehouse: str | None = None) -> Error | None:
        """Return and count the error ordered for exactly this SKU and warehouse, if any."""
        order = self._orders.get((sku_id, warehouse))
        if order is None or order.left == 0:
            return None
        if order.left is not None:
            order.left -= 1
        return order.error
