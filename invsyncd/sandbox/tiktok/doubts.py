"""What TikTok's documents leave open or contradict: a switch for each, so both get tested.

A client must be right whichever way these stand. The defaults are the likelier answers.
"""

from dataclasses import dataclass


@dataclass(slots=True)
class Doubts:
    """The switches; they may be turned while the fake runs."""

    # Quantities in units. The endpoint page says 1 to 99,999, live errors speak of 0 to 999,999.
    min_quantity: int = 0
    max_quantity: int = 999_999
    # Are the good warehouses of a SKU written when another of its warehouses is refused?
    partial_sku_applies: bool = False
    # May a row repeat what a platform's or a disabled warehouse holds? Where it may not, a platform
    # warehouse is to be left out of the call: else no SKU stocked there could ever be written.
    repeats_accepted: bool = True
    # Does one bad SKU fail the whole call with its code, rather than come back under code 0?
    errors_fail_request: bool = False
    # What stands for "no further page": an empty `next_page_token`, or none at all (None).
    last_page_token: str | None = ""
    # Results that one search can reach (12052180 beyond), and whether it is refused at page one.
    max_results: int = 10_000
    cap_at_first_page: bool = False
    # Do TikTok's own (FBT) warehouses appear in the warehouse list?
    lists_platform_warehouses: bool = True
