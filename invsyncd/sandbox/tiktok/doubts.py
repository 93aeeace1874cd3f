"""Switches for what TikTok's documents leave open or contradict, so that both ways are tested.

A client must be right whichever way a switch is set. The defaults are the likelier answers.
"""

from dataclasses import dataclass


@dataclass(slots=True)
class Doubts:
    """The switches. They may change while the fake runs."""

    # Quantities in units. The endpoint page says 1 to 99,999; live errors name 0 to 999,999.
    min_quantity: int = 0
    max_quantity: int = 999_999
    # Is a number above this accepted, and cut to it? None: none is.
    cuts_at: int | None = None
    # Are the good warehouses of a SKU written when another of its warehouses is refused?
    partial_sku_applies: bool = False
    # May a row repeat the quantity of a platform warehouse or a disabled one? If not, the call
    # must leave a platform warehouse out, or else no SKU stocked there could ever be written.
    repeats_accepted: bool = True
    # Is a RESTRICTED warehouse refused as a disabled one is?
    refuses_restricted: bool = False
    # Does one bad SKU fail the whole call with its code, or does its error come under code 0?
    errors_fail_request: bool = False
    # What means "no further page": an empty `next_page_token`, or none at all (None).
    last_page_token: str | None = ""
    # How many results one search can reach (12052180 beyond), and whether page one already refuses.
    max_results: int = 10_000
    cap_at_first_page: bool = False
    # Do TikTok's own (FBT) warehouses appear in the warehouse list?
    lists_platform_warehouses: bool = True
    # Is a dead or unknown access token answered by 101000, which also stands for a wrong cipher?
    dead_token_is_101000: bool = False
