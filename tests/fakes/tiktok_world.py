"""The small shop that the tests of Update Inventory write to."""

import json
from collections.abc import Mapping

from tests.fakes.tiktok_caller import UPDATE, Caller, Reply


class World:
    """Two listings of one product over two warehouses, and places that must not be written."""

    def __init__(self, caller: Caller) -> None:
        self.caller, self.fake = caller, caller.fake
        market = self.market = caller.fake.marketplace
        self.alpha, self.beta = market.add_warehouse("Alpha"), market.add_warehouse("Beta")
        self.gamma = market.add_warehouse("Gamma")
        self.fbt = market.add_warehouse("FBT", platform=True)
        self.returns = market.add_warehouse("Returns", kind="RETURN_WAREHOUSE")
        both = {self.alpha: 10, self.beta: 4}
        self.product, self.tee = market.add_listing("TEE", stock=both)
        _, self.cap = market.add_listing("CAP", stock={self.alpha: 7}, product=self.product)

    async def update(self, skus: Mapping[str, Mapping[str, object]]) -> Reply:
        """Send quantities by SKU id and warehouse id."""
        listed = [
            {"id": sku, "inventory": [{"warehouse_id": w, "quantity": n} for w, n in rows.items()]}
            for sku, rows in skus.items()
        ]
        return await self.send({"skus": listed})

    async def send(self, body: object, product: str | None = None) -> Reply:
        path = UPDATE.format(product_id=product or self.product)
        return await self.caller.post(path, json.dumps(body).encode())

    def stock(self) -> dict[str, list[int]]:
        return {
            sku.seller_sku: [place.available for place in sku.stock.values()]
            for sku in self.market.skus.values()
        }


UNTOUCHED = {"TEE": [10, 4], "CAP": [7]}


def inner(reply: Reply) -> list[tuple[str, int]]:
    """The warehouse errors of the only SKU that has any, as (warehouse, code)."""
    (error,) = reply.data["errors"]
    assert (error["code"], error["message"]) == (12052990, "Check failed")
    return [(extra["warehouse_id"], extra["code"]) for extra in error["detail"]["extra_errors"]]
