"""A scan by one bulk operation, against the fake: what it reads, and what it refuses."""

import pytest
from graphql import parse, validate

from invsyncd.core.model import Reading
from invsyncd.errors import InvalidResponse, InvsyncError, Refused, Unauthorised, Unavailable
from invsyncd.sandbox.shopify.bulk import PATH, Spoil
from invsyncd.sandbox.shopify.server import ShopifyFake
from invsyncd.sandbox.shopify.shop import Shop
from invsyncd.shopify.bulk import BulkLimits, BulkRefused
from invsyncd.shopify.documents import SCAN_ROWS
from invsyncd.shopify.polling import Page
from tests.support.official import official_schema
from tests.support.virtual import EPOCH, clock, virtual
from tests.unit.shopify.shops import Stand, standing


class Two:
    """A shop with two locations, an item at both and 299 at the first; one level sleeps."""

    def __init__(self) -> None:
        self.shop = Shop(clock=clock)
        self.here, self.there = self.shop.add_location("Here"), self.shop.add_location("There")
        self.tee = self.shop.add_item("TEE", stock={self.here: 10, self.there: 4})
        self.rest = [self.shop.add_item(f"S{n}", stock={self.here: n}) for n in range(299)]
        self.shop.deactivate("TEE", self.there)
        self.fake = ShopifyFake(self.shop)
        self.bulk = self.fake.bulk


async def scanned(stand: Stand, *locations: int, limits: BulkLimits | None = None) -> list[Page]:
    return [page async for page in stand.source.scan(locations, limits)]


def readings(found: list[Page]) -> list[Reading]:
    return [reading for page in found for reading in page.readings]


def test_the_bulk_query_is_valid_in_the_official_schema() -> None:
    assert validate(official_schema(), parse(SCAN_ROWS)) == []


@virtual
async def test_a_scan_reads_every_level_of_the_locations_in_pages() -> None:
    two = Two()
    two.shop.sell_online("TEE", two.here, 3)
    async with standing(two.shop, two.fake) as stand:
        found = await scanned(stand, two.here, two.there)
    assert sorted(len(page.readings) for page in found) == [51, 250]
    assert {page.server_time for page in found} == {EPOCH}
    rows = {(row.item, row.location): row for row in readings(found)}
    assert rows[two.tee, two.here] == Reading(two.tee, two.here, 7, 3, 10, EPOCH, counted_at=EPOCH)
    asleep = Reading(two.tee, two.there, 4, 0, 4, EPOCH, active=False, counted_at=EPOCH)
    assert rows[two.tee, two.there] == asleep
    assert [rows[item, two.here].available for item in two.rest] == list(range(299))


@virtual
async def test_a_scan_says_the_same_as_polling_every_location() -> None:
    two = Two()
    two.bulk.shuffled = two.bulk.compressed = True
    async with standing(two.shop, two.fake) as stand:
        polled = [
            page for place in (two.here, two.there) async for page in stand.source.poll(place, None)
        ]
        assert set(readings(await scanned(stand, two.here, two.there))) == set(readings(polled))


@virtual
async def test_a_location_that_was_not_asked_for_is_left_out() -> None:
    two = Two()
    async with standing(two.shop, two.fake) as stand:
        assert [row.item for row in readings(await scanned(stand, two.there))] == [two.tee]
        assert await scanned(stand) == []


@virtual
async def test_an_operation_is_looked_at_after_growing_waits() -> None:
    two = Two()
    two.bulk.run_s = 600
    async with standing(two.shop, two.fake) as stand:
        await scanned(stand, two.here)
    assert clock() - EPOCH == pytest.approx(605, abs=6)
    assert 55 < stand.fake.operations["ScanStatus"] < 70
    assert stand.fake.operations["RunScan"] == 1


@virtual
async def test_the_file_is_fetched_without_the_token() -> None:
    two = Two()
    async with standing(two.shop, two.fake) as stand:
        await scanned(stand, two.here)
    ((headers),) = two.bulk.downloads
    assert "shpat" not in str(headers)
    assert not {"authorization", "cookie"} & {name.lower() for name in headers}


@virtual
async def test_an_operation_that_takes_too_long_is_given_up() -> None:
    two = Two()
    two.bulk.run_s = 7200
    async with standing(two.shop, two.fake) as stand:
        with pytest.raises(BulkRefused, match="takes too long"):
            await scanned(stand, two.here)
    assert 1780 <= clock() - EPOCH <= 1800


@virtual
async def test_others_in_progress_are_waited_for_but_not_long() -> None:
    two = Two()
    two.bulk.at_once, two.bulk.run_s = 1, 30
    async with standing(two.shop, two.fake) as stand:
        first = stand.source.scan([two.here])
        begun = [await stand.client.execute(RUN, {"query": SCAN_ROWS}, op="RUN")]
        assert begun
        assert readings(await scanned(stand, two.there))
        two.bulk.run_s = 300
        await stand.client.execute(RUN, {"query": SCAN_ROWS}, op="RUN")
        at = clock()
        with pytest.raises(BulkRefused, match="already in progress") as caught:
            await anext(first)
    assert caught.value.code == "OPERATION_IN_PROGRESS"
    assert clock() - at <= 60


RUN = """mutation Run($query: String!) {
  bulkOperationRunQuery(query: $query) { bulkOperation { id } userErrors { message } } }"""


@virtual
async def test_a_shop_that_denies_bulk_is_told_from_a_dead_token() -> None:
    two = Two()
    two.bulk.refused = True
    async with standing(two.shop, two.fake) as stand:
        with pytest.raises(BulkRefused, match="denied") as caught:
            await scanned(stand, two.here)
        assert caught.value.code == "ACCESS_DENIED"
        two.fake.revoke()
        with pytest.raises(Unauthorised):
            await scanned(stand, two.here)


@virtual
@pytest.mark.parametrize(
    ("spoil", "raised", "message"),
    [
        (Spoil.FAILED, BulkRefused, r"FAILED \(TIMEOUT\)"),
        (Spoil.EXPIRED, BulkRefused, "EXPIRED"),
        (Spoil.CANCELED, BulkRefused, "CANCELED"),
        (Spoil.GONE, BulkRefused, "SCAN_FILE: HTTP 403"),
        (Spoil.MOVED, BulkRefused, "redirect"),
        (Spoil.SHORT, InvalidResponse, "303 lines promised, 302 in the file"),
        (Spoil.GARBLED, InvalidResponse, "line 152: the answer is not JSON"),
    ],
)
async def test_a_spoilt_operation_never_passes_for_a_complete_scan(
    spoil: Spoil, raised: type[InvsyncError], message: str
) -> None:
    two = Two()
    two.bulk.spoil, two.bulk.error_code = spoil, "TIMEOUT"
    async with standing(two.shop, two.fake) as stand:
        with pytest.raises(raised, match=message) as caught:
            await scanned(stand, two.here)
    assert type(caught.value) is raised
    assert "Signature" not in str(caught.value)


@virtual
@pytest.mark.parametrize(
    ("kind", "raised"),
    [
        ("lost", Unavailable),
        ("500-before", Unavailable),
        ("429", Unavailable),
        ("garbled", InvalidResponse),
    ],
)
async def test_a_broken_download_never_passes_for_a_complete_scan(
    kind: str, raised: type[InvsyncError]
) -> None:
    two = Two()
    async with standing(two.shop, two.fake) as stand:
        # Twice: aiohttp itself repeats a GET once when an old connection turns out to be dead.
        stand.faults.add(kind, match=PATH, times=2)
        with pytest.raises(raised):
            await scanned(stand, two.here)
        stand.faults.clear()
        assert len(readings(await scanned(stand, two.here))) == 300


@virtual
async def test_a_bad_moment_of_the_api_is_survived() -> None:
    two = Two()
    async with standing(two.shop, two.fake) as stand:
        stand.faults.add("500-after", match="RunScan")
        stand.faults.add("throttled", match="ScanStatus")
        assert len(readings(await scanned(stand, two.here))) == 300


@virtual
async def test_a_location_that_is_gone_is_refused_and_not_empty() -> None:
    two = Two()
    async with standing(two.shop, two.fake) as stand:
        with pytest.raises(Refused, match="location 99 is not there any more") as caught:
            await scanned(stand, two.here, 99)
    assert not isinstance(caught.value, BulkRefused)


@virtual
async def test_a_shop_without_locations_has_no_file_and_no_levels() -> None:
    async with standing(Shop(clock=clock)) as stand:
        assert await scanned(stand) == []
        with pytest.raises(Refused, match="location 1 is not"):
            await scanned(stand, 1)


@virtual
async def test_a_file_that_is_too_large_or_has_an_endless_line_is_garbled() -> None:
    two = Two()
    async with standing(two.shop, two.fake) as stand:
        with pytest.raises(InvalidResponse, match="a line is longer than 100 bytes"):
            await scanned(stand, two.here, limits=BulkLimits(line_bytes_max=100))
        two.bulk.compressed = True
        with pytest.raises(InvalidResponse, match="the file is larger than 5000 bytes"):
            await scanned(stand, two.here, limits=BulkLimits(file_bytes_max=5000))


@virtual
async def test_a_scan_that_is_left_early_leaves_nothing_open() -> None:
    two = Two()
    async with standing(two.shop, two.fake) as stand:
        found = stand.source.scan([two.here])
        assert len((await anext(found)).readings) == 250
        await found.aclose()  # type: ignore[attr-defined]
        assert len(readings(await scanned(stand, two.here))) == 300
