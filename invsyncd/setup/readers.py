"""What an answer means: plain functions from a text to a value, or WrongAnswer with what to do.

No message repeats an answer that may be a secret in the wrong place.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import parse_qs, urlsplit

from invsyncd.core.marketplace import Warehouse
from invsyncd.core.model import Location, Unlevelled
from invsyncd.planning.locations import every_location, keeps_fbt
from invsyncd.setup.answers import Answers, Ask, Feeds, Gathered, WrongAnswer

ALL, NONE, EVERY = "all", "none", "*"
YES, NO = ("y", "yes", "us"), ("n", "no", "other")
_OWN_DOMAIN = "in Shopify's admin, Settings → Domains shows the name that ends in .myshopify.com"


def read_shop(text: str, _: Answers, __: Gathered) -> str:
    """A shop by its name, its address or the address of its admin."""
    word = text.strip().strip("\"'").lower()
    admin = re.match(r"(?:https?://)?admin\.shopify\.com/store/([a-z0-9-]+)", word)
    host = f"{admin[1]}.myshopify.com" if admin else re.sub(r"^https?://|[/?#].*$", "", word)
    if re.fullmatch(r"[a-z0-9][a-z0-9-]*", host):
        host += ".myshopify.com"
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*\.myshopify\.com", host):
        if re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", host):
            raise WrongAnswer("that is the shop's own domain; it does not answer", _OWN_DOMAIN)
        raise WrongAnswer("that is no name of a shop", "write it like acme.myshopify.com")
    return host


def read_client_id(text: str, _: Answers, __: Gathered) -> str:
    """A client ID; nothing for an old app that has an access token instead."""
    word = text.strip().strip("\"'")
    if word.startswith(("shpat_", "shpss_", "shpca_", "shppa_")):
        raise WrongAnswer(
            "that is a secret, not the client ID",
            "copy the client ID from the app's settings; for an old app with an access token,"
            " press Enter here and paste the token at the next question",
        )
    if word and not re.fullmatch(r"[A-Za-z0-9_-]{6,}", word):
        raise WrongAnswer(
            "that is no client ID", "copy it from Dev Dashboard → your app → Settings: 32 letters"
        )
    return word


def read_shopify_secret(text: str, answers: Answers, _: Gathered) -> str:
    """A client secret, or an access token where there is no client ID."""
    word = _secret(text, "the client secret" if answers.client_id else "the access token")
    if answers.client_id and word.startswith("shpat_"):
        raise WrongAnswer(
            "that is an access token, not the client secret",
            "copy the secret that stands below the client ID; to use the token, answer the client"
            " ID with Enter",
            Ask.CLIENT_ID,
            Ask.SECRET,
        )
    if not answers.client_id and word.startswith("shpss_"):
        raise WrongAnswer(
            "that is the app's secret, not its access token",
            "give the client ID and then this secret; an access token begins with shpat_",
            Ask.CLIENT_ID,
            Ask.SECRET,
        )
    if word == answers.client_id:
        raise WrongAnswer("that is the client ID again", "copy the secret that stands below it")
    return word


def read_app_secret(text: str, answers: Answers, _: Gathered) -> str:
    """The secret of a TikTok app."""
    word = _secret(text, "the app secret")
    if word == answers.app_key:
        raise WrongAnswer("that is the app key again", "copy the app secret that stands beside it")
    return word


def _secret(text: str, name: str) -> str:
    word = text.strip()
    if not word:
        raise WrongAnswer(f"{name} is empty", "paste it; it is not shown while you do")
    if not re.fullmatch(r"[!-~]+", word):
        raise WrongAnswer(f"{name} has a space or another odd character", "copy it again")
    return word


def read_locations(text: str, _: Answers, found: Gathered) -> tuple[int, ...]:
    """The locations to mirror, by the numbers of the list, names or ids."""
    known = active_locations(found)
    word = text.strip()
    if word.lower() == NONE:
        return ()
    if word.lower() == ALL:
        picked = sorted(every_location((), known))
    else:
        picked = list(dict.fromkeys(x.id for part in _parts(word) for x in [_one(part, known)]))
    for one in known:
        if one.id in picked and is_of_others(one):
            raise WrongAnswer(
                f"{one.name} is kept by a fulfilment service, whose stock would be overwritten",
                "leave it out; if you are sure, write it into mirror.locations yourself, later",
            )
    if len(picked) < 2:
        raise WrongAnswer(
            "one location alone has nothing to be mirrored with",
            "tick two or more that sell from the same shelf, or answer: none",
        )
    return tuple(picked)


def read_unlevelled(text: str, _: Answers, __: Gathered) -> Unlevelled:
    """What is done with unequal levels; the default for nothing."""
    word = text.strip().lower() or Unlevelled.FOLLOW.value
    fitting = [choice for choice in Unlevelled if choice.value.startswith(word)]
    if len(fitting) != 1:
        raise WrongAnswer("that is none of the choices", f"write {', '.join(Unlevelled)}")
    return fitting[0]


def read_app_key(text: str, answers: Answers, found: Gathered) -> str:
    """The key of a TikTok app; nothing without TikTok Shop."""
    word = text.strip().strip("\"'")
    if word.lower() in ("", *NO, NONE):
        if not answers.locations:
            raise WrongAnswer(
                "without TikTok Shop, and with no location mirrored, there is nothing to do",
                "give the app key, or tick locations",
                *([Ask.LOCATIONS] if len(active_locations(found)) > 1 else []),
                Ask.APP_KEY,
            )
        return ""
    if not re.fullmatch(r"[A-Za-z0-9_-]{6,}", word):
        raise WrongAnswer(
            "that is no app key", "copy it from Partner Center → your app → Basic information"
        )
    return word


def read_service(text: str, _: Answers, __: Gathered) -> tuple[str, bool | None]:
    """A service id, or the whole authorisation link, which also says whether it is for the US."""
    word = text.strip().strip("\"'")
    if "://" in word:
        parts = urlsplit(word)
        ids = parse_qs(parts.query).get("service_id", [""])
        word, us = ids[0], (parts.hostname or "").startswith("services.us.")
        known = us or (parts.hostname or "").startswith("services.tiktokshop.")
    else:
        us, known = False, False
    if not re.fullmatch(r"[0-9]{4,}", word):
        raise WrongAnswer(
            "that is no service ID",
            "copy it from Partner Center → your app: a number; or its whole authorisation link",
        )
    return word, us if known else None


def read_us(text: str, _: Answers, __: Gathered) -> bool:
    """Whether the shop is in the United States."""
    word = text.strip().lower()
    if word not in (*YES, *NO):
        raise WrongAnswer("that is neither yes nor no", "answer y or n")
    return word in YES


def redirect_query(text: str) -> dict[str, list[str]]:
    """What the address says that the browser was sent to; its end alone will do."""
    return parse_qs(urlsplit(text).query or text.partition("?")[2] or text)


def read_redirect(text: str, answers: Answers, _: Gathered) -> str:
    """The code in the address that the browser was sent to; the code alone will do."""
    word = text.strip().strip("\"'")
    if "://" not in word and "=" not in word:
        if re.fullmatch(r"[!-~]{6,}", word):
            return word
        raise WrongAnswer(
            "that is no address", "copy the whole address from the browser's address bar"
        )
    query = redirect_query(word)
    if "code" not in query:
        if "service_id" in query:
            raise WrongAnswer(
                "that is the link itself, not the address after it",
                "open it, consent as the seller, and copy the address that the browser shows then",
            )
        raise WrongAnswer(
            "the address has no code=",
            "consent first, then copy the whole address: it ends in code=… (and perhaps more)",
        )
    if query.get("app_key", [answers.app_key])[0] != answers.app_key:
        raise WrongAnswer(
            "that is the address of another app: its app_key differs",
            "open the link above again, in the browser of this app's seller",
        )
    return query["code"][0]


def read_tiktok_shop(text: str, _: Answers, found: Gathered) -> str:
    """One of the shops that the seller authorised, by number, name or id."""
    shops = found.consent.shops if found.consent else ()
    word = text.strip().lower()
    if word.isdigit() and 0 < int(word) <= len(shops):
        return shops[int(word) - 1].id
    ids = [one.id for one in shops if word in (one.id, one.name.lower())]
    if len(ids) != 1:
        raise WrongAnswer("that is none of the shops", f"write a number from 1 to {len(shops)}")
    return ids[0]


def read_mapping(text: str, answers: Answers, found: Gathered) -> tuple[Feeds, ...]:
    """Which locations feed which warehouse: `1 2 = A; 3 = B`, by numbers, names or ids."""
    known, sales = active_locations(found), sales_warehouses(found)
    fed: dict[str, list[int]] = {}
    for part in filter(None, (part.strip() for part in text.split(";"))):
        left, equals, right = part.rpartition("=")
        if not equals or not left.strip():
            raise WrongAnswer(
                "that is no mapping", "write locations = warehouse, such as: 1 2 = 1; 3 = 2"
            )
        house = _warehouse(right.strip(), sales)
        if left.strip() == EVERY:
            if fed or part.strip() != text.strip().rstrip("; "):
                raise WrongAnswer('"*" is every location', "write it alone, or name locations")
            return (Feeds((EVERY,), house.id),)
        fed.setdefault(house.id, []).extend(_one(x, known).id for x in _parts(left))
    if not fed:
        raise WrongAnswer("no warehouse is fed", "write it like: 1 2 = 1; 3 = 2")
    _once_each(fed, answers, known)
    return tuple(Feeds(config_names(at, known), house) for house, at in fed.items())


def _once_each(fed: dict[str, list[int]], answers: Answers, known: Sequence[Location]) -> None:
    names = {one.id: one.name for one in known}
    places = [at for ids in fed.values() for at in ids]
    for at in places:
        if places.count(at) > 1:
            raise WrongAnswer(
                f"{names[at]} feeds two warehouses: its units would be offered twice",
                "name each location once",
            )
    mirrored = set(answers.locations or ())
    houses = [house for house, ids in fed.items() if mirrored & set(ids)]
    if len(houses) > 1:
        raise WrongAnswer(
            "mirrored locations are one stock, and would feed two warehouses: each unit would be"
            " offered twice",
            "let all mirrored locations feed the same warehouse",
        )


def active_locations(found: Gathered) -> tuple[Location, ...]:
    """The active locations, in the order of the list."""
    return tuple(one for one in found.locations or () if one.active)


def is_of_others(location: Location) -> bool:
    """Whether a fulfilment service keeps this location's stock, TikTok's own one among them."""
    return location.managed or keeps_fbt(location)


def sales_warehouses(found: Gathered) -> tuple[Warehouse, ...]:
    """The warehouses that may be fed, in the order of the list."""
    return tuple(one for one in found.warehouses or () if one.sales)


def config_names(ids: Sequence[int], known: Sequence[Location]) -> tuple[str, ...]:
    """Locations as the configuration has them: by name, by id where a name is not unique."""
    names = [one.name for one in known]
    by_id = {one.id: one.name for one in known}
    return tuple(
        by_id[x] if names.count(by_id[x]) == 1 and not by_id[x].isdigit() else str(x) for x in ids
    )


def _parts(text: str) -> list[str]:
    """The entries of a list: by commas, or by spaces where all of them are numbers."""
    if re.fullmatch(r"[\d\s]+", text):
        return text.split()
    return [part.strip() for part in text.split(",") if part.strip()]


def _one(text: str, known: Sequence[Location]) -> Location:
    """A location by its number in the list, its name or its id."""
    fitting = [x for x in known if text in (x.name, str(x.id))] or [
        x for x in known if text.casefold() == x.name.casefold()
    ]
    if not fitting and text.isdigit() and 0 < int(text) <= len(known):
        return known[int(text) - 1]
    if len(fitting) != 1:
        which = "is the name of several" if fitting else "is none of the locations"
        raise WrongAnswer(
            f'"{text[:64]}" {which}', f"write their numbers, from 1 to {len(known)}, such as: 1 2"
        )
    return fitting[0]


def _warehouse(text: str, known: Sequence[Warehouse]) -> Warehouse:
    fitting = [x for x in known if text.casefold() in (x.name.casefold(), x.id)]
    if not fitting and text.isdigit() and 0 < int(text) <= len(known):
        return known[int(text) - 1]
    if len(fitting) != 1:
        raise WrongAnswer(
            f'"{text[:64]}" is not one of the warehouses', f"write a number from 1 to {len(known)}"
        )
    return fitting[0]
