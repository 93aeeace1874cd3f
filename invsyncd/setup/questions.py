"""The questions of a set-up, in order: what is still to ask or to try, and in which words.

Plain functions over frozen values: no terminal, no file, no network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from invsyncd.setup import readers
from invsyncd.setup.answers import Answers, Ask, Feeds, Gathered, Try
from invsyncd.setup.readers import (
    EVERY,
    active_locations,
    config_names,
    is_of_others,
    sales_warehouses,
)
from invsyncd.setup.unequal import preview_lines
from invsyncd.text import distinct_names, listed

Read = Callable[[str, Answers, Gathered], Any]
Words = Callable[[Answers, Gathered], list[str]]
CONSENT_HOSTS: Final = {
    True: "https://services.us.tiktokshop.com",
    False: "https://services.tiktokshop.com",
}


@dataclass(frozen=True, slots=True)
class Question:
    """One question: its prompt, the lines above it, what an answer means, the flag that answers."""

    key: Ask
    prompt: str
    flag: str
    read: Read
    words: Words
    secret: bool = False
    default: Callable[[Answers, Gathered], str] | None = None
    """What Enter means; without it an empty answer goes to `read` as it is."""
    heading: str = ""

    @property
    def title(self) -> str:
        """What stands above the lines."""
        return self.heading or self.prompt


def next_step(answers: Answers, found: Gathered) -> Question | Try | None:
    """What comes next: a trial of what was answered, or else a question; None at the end."""
    answers = implied(answers, found)
    for trial in Try:
        if _is_to_try(trial, answers, found):
            return trial
    for key in Ask:
        if answers.get(key) is None and _is_asked(key, answers, found):
            return QUESTIONS[key]
    return None


def implied(answers: Answers, found: Gathered) -> Answers:
    """The answers with those that leave nothing to choose."""
    if (
        found.locations is not None
        and len(active_locations(found)) < 2
        and answers.locations is None
    ):
        answers = answers.but({Ask.LOCATIONS: ()})
    if found.consent is not None and len(found.consent.shops) == 1:
        answers = answers.but({Ask.TIKTOK_SHOP: found.consent.shops[0].id})
    if len(sales_warehouses(found)) == 1 and answers.mapping is None:
        answers = answers.but({Ask.MAPPING: (Feeds((EVERY,), sales_warehouses(found)[0].id),)})
    return answers


def _is_to_try(trial: Try, a: Answers, f: Gathered) -> bool:
    if getattr(f, trial.value) is not None:
        return False
    match trial:
        case Try.SHOPIFY:
            return None not in (a.shop, a.client_id, a.secret)
        case Try.LEVELS:
            return bool(a.locations) and f.locations is not None
        case Try.APP:
            return bool(a.app_key) and a.app_secret is not None
        case Try.CONSENT:
            return a.code is not None and bool(f.app)
        case Try.WAREHOUSES:
            return a.tiktok_shop is not None and f.consent is not None


def _is_asked(key: Ask, a: Answers, f: Gathered) -> bool:
    if key is Ask.UNLEVELLED:
        return f.preview is not None and f.preview.unequal > 0
    if key in (Ask.SHOP, Ask.CLIENT_ID, Ask.SECRET, Ask.LOCATIONS, Ask.APP_KEY):
        return True
    if key in (Ask.SERVICE, Ask.US) and a.code is not None:
        return False
    return bool(a.app_key)


def consent_link(answers: Answers) -> str:
    """The address by which the seller consents."""
    host = answers.tiktok_endpoint or CONSENT_HOSTS[bool(answers.us)]
    return f"{host}/open/authorize?service_id={answers.service}"


def proposal(answers: Answers, found: Gathered) -> str:
    """A mapping to begin with: by names that fit. Mirrored locations are one stock: together.

    A location that fits no warehouse feeds the first one, unless that would split a stock.
    """
    known, sales = active_locations(found), sales_warehouses(found)
    mirrored = [x for x in known if x.id in (answers.locations or ())]
    fed: dict[int, list[int]] = {}
    for number, one in enumerate(known, 1):
        if is_of_others(one):
            continue
        names = [x.name for x in mirrored] if one in mirrored else [one.name]
        fits = [
            at
            for at, house in enumerate(sales, 1)
            if any(n.casefold() in house.name.casefold() for n in names if n)
        ]
        fed.setdefault(fits[0] if fits else 1, []).append(number)
    return "; ".join(f"{' '.join(map(str, at))} = {house}" for house, at in sorted(fed.items()))


def _plain(*lines: str) -> Words:
    return lambda _, __: list(lines)


def _location_lines(_: Answers, found: Gathered) -> list[str]:
    lines = ["Mirrored locations show one number, because they sell from one shelf:",
             "a change at one of them overwrites the others. The active locations are"]  # fmt: skip
    for number, (one, name) in enumerate(_named(found), 1):
        other = "  (not yours to tick: a fulfilment service keeps it)"
        lines.append(f"  {number}  {name}{other if is_of_others(one) else ''}")
    return [*lines, "Tick those that sell from the same shelf: numbers, or `all`, or `none`."]


def _named(found: Gathered) -> list[tuple[Any, str]]:
    names = distinct_names({one.id: one.name for one in active_locations(found)})
    return [(one, names[one.id]) for one in active_locations(found)]


def _unlevelled_lines(_: Answers, found: Gathered) -> list[str]:
    names = {one.id: name for one, name in _named(found)}
    return preview_lines(found.preview, names) if found.preview else []


def _shop_lines(_: Answers, found: Gathered) -> list[str]:
    shops = found.consent.shops if found.consent else ()
    rows = [f"{x.name}, {x.region or 'region unknown'}  ({x.id})" for x in shops]
    listing = [f"  {number}  {row}" for number, row in enumerate(rows, 1)]
    return ["The seller authorised several shops:", *listing]


def _mapping_lines(answers: Answers, found: Gathered) -> list[str]:
    lines = ["Which locations feed which warehouse? A location feeds at most one. Locations:"]
    mirrored = set(answers.locations or ())
    for number, (one, name) in enumerate(_named(found), 1):
        lines.append(f"  {number}  {name}{'  (mirrored)' if one.id in mirrored else ''}")
    lines.append("Warehouses of TikTok Shop for sales:")
    for number, house in enumerate(sales_warehouses(found), 1):
        state = "" if house.enabled else f"  ({house.status.lower() or 'not enabled'})"
        lines.append(f"  {number}  {house.name}{state}")
    return [*lines, "Write locations = warehouse, such as: 1 2 = 1; 3 = 2   (* = all of them)"]


def _secret_lines(answers: Answers, _: Gathered) -> list[str]:
    if answers.client_id:
        return ["The client secret stands below the client ID. It is not shown while you paste it."]
    return [
        "The access token of the old app begins with shpat_. It is not shown while you paste it."
    ]


QUESTIONS: Final[Mapping[Ask, Question]] = {
    one.key: one
    for one in (
        Question(
            Ask.SHOP,
            "Shopify shop",
            "--shop",
            readers.read_shop,
            _plain("Its name in Shopify ends in .myshopify.com: acme, or acme.myshopify.com."),
        ),
        Question(
            Ask.CLIENT_ID,
            "Client ID",
            "--client-id",
            readers.read_client_id,
            _plain(
                "Of your app in Shopify's Dev Dashboard (dev.shopify.com), with the scopes",
                "read_locations, read_products and write_inventory, installed in this shop.",
                "Enter alone, if you have an old app with an access token instead.",
            ),
        ),
        Question(
            Ask.SECRET,
            "Secret",
            "--client-secret-file (or --access-token-file)",
            readers.read_shopify_secret,
            _secret_lines,
            secret=True,
        ),
        Question(
            Ask.LOCATIONS,
            "Locations to mirror",
            "--locations",
            readers.read_locations,
            _location_lines,
        ),
        Question(
            Ask.UNLEVELLED,
            "follow, lowest, highest, latest or hold",
            "--unlevelled",
            readers.read_unlevelled,
            _unlevelled_lines,
            default=lambda _, __: "follow",
            heading="Items whose locations show different numbers",
        ),
        Question(
            Ask.APP_KEY,
            "TikTok app key",
            "--app-key (or --no-tiktok)",
            readers.read_app_key,
            _plain(
                "Of your app in TikTok Shop's Partner Center. Enter alone: without TikTok Shop.",
            ),
        ),
        Question(
            Ask.APP_SECRET,
            "TikTok app secret",
            "--app-secret-file",
            readers.read_app_secret,
            _plain("It is not shown while you paste it."),
            secret=True,
        ),
        Question(
            Ask.SERVICE,
            "Service ID",
            "--service-id",
            readers.read_service,
            _plain("A number on the app's page in the Partner Center; or the authorisation link."),
        ),
        Question(
            Ask.US,
            "Is the TikTok shop in the US (y/n)",
            "--region us (or other)",
            readers.read_us,
            _plain("Shops in the United States consent at an address of their own."),
        ),
        Question(
            Ask.CODE,
            "Address after the consent",
            "--redirect",
            readers.read_redirect,
            lambda answers, _: [
                "Open this link in a browser as the seller, and consent:",
                "",
                f"  {consent_link(answers)}",
                "",
                "The browser is then sent to an address with code=… in it; the page may be",
                "empty. Paste that whole address within 30 minutes.",
            ],
        ),
        Question(
            Ask.TIKTOK_SHOP, "TikTok shop", "--tiktok-shop", readers.read_tiktok_shop, _shop_lines
        ),
        Question(
            Ask.MAPPING,
            "Mapping",
            "--map",
            readers.read_mapping,
            _mapping_lines,
            default=proposal,
            heading="Locations and TikTok warehouses",
        ),
    )
}


def summary(answers: Answers, found: Gathered) -> list[str]:
    """What was answered, in the merchant's words, without a secret."""
    answers, known = implied(answers, found), active_locations(found)
    names = {one.id: name for one, name in _named(found)}
    ids = answers.locations or ()
    mirror = listed([names[x] for x in ids]) if ids else "nothing"
    lines, feeding = [f"shop {answers.shop}; mirrored: {mirror}"], set[int]()
    houses = {house.id: house.name for house in sales_warehouses(found)}
    for row in answers.mapping or ():
        every = row.locations == (EVERY,)
        fed = [x.id for x in known if every and not is_of_others(x)] or [
            x.id for x in known if config_names([x.id], known)[0] in row.locations
        ]
        feeding |= set(fed)
        places = "every location" if every else listed([names[x] for x in fed])
        lines.append(f'{places} → TikTok warehouse "{houses[row.warehouse]}"')
    if ids and (alone := [names[x] for x in names if x in feeding and x not in ids]):
        lines.append(
            f"not mirrored: {listed(alone)}, whose own stock is added to what TikTok shows"
        )
    return lines


def values(answers: Answers, found: Gathered) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The configuration that the answers make: keys with values, and the rows of the mapping."""
    answers = implied(answers, found)
    made: dict[str, Any] = {"shopify.shop": answers.shop, "mirror.enabled": bool(answers.locations)}
    if answers.shopify_endpoint:
        made["shopify.endpoint"] = answers.shopify_endpoint
    if answers.tiktok_endpoint and answers.app_key:
        made |= dict.fromkeys(("tiktok.endpoint", "tiktok.auth_endpoint"), answers.tiktok_endpoint)
    if answers.client_id:
        made["shopify.client_id"] = answers.client_id
    if answers.locations:
        made["mirror.locations"] = config_names(answers.locations, active_locations(found))
    if answers.unlevelled is not None:
        made["mirror.unlevelled"] = answers.unlevelled.value
    made["tiktok.enabled"] = bool(answers.app_key)
    if answers.app_key:
        made["tiktok.app_key"] = answers.app_key
    if answers.tiktok_shop:
        made["tiktok.shop_id"] = answers.tiktok_shop
    rows = [
        {"locations": row.locations, "warehouse": row.warehouse} for row in answers.mapping or ()
    ]
    return made, rows


def secret_files(answers: Answers) -> dict[str, str]:
    """The secrets that the answers hold, by the names of their files."""
    name = "shopify-client-secret" if answers.client_id else "shopify-access-token"
    files = {name: answers.secret or ""}
    return files | ({"tiktok-app-secret": answers.app_secret or ""} if answers.app_key else {})
