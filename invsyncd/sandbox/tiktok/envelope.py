"""The answers of TikTok Shop: the envelope, and every refusal with its documented words.

Codes and messages are quoted from the Partner Center pages "Common Errors" and the error tables of
the endpoint pages. Those marked INF are inferred, because no page quotes them. No page lists which
HTTP status belongs to which code. Here business errors come with 200, those of the gateway with
4xx.
"""

import json
from dataclasses import dataclass

from aiohttp import web

# By names of our own: several refusals share code 36009004 and differ only in the message.
REFUSALS: dict[str, tuple[int, int, str]] = {
    "bad_app_key": (401, 36009004, "Invalid credentials. Invalid `app_key` query parameter."),
    "bad_app_secret": (  # INF
        401,
        36009004,
        "Invalid credentials. Invalid `app_secret` query parameter.",
    ),
    "no_sign": (
        401,
        36009004,
        "Missing credentials. The request does not include a required signature in the query.",
    ),
    "bad_sign": (401, 106001, "Invalid credentials. The `sign` query parameter is invalid."),
    "bad_token": (
        401,
        36009004,
        "Invalid credentials. The `x-tts-access-token` header is invalid.",
    ),
    "expired_token": (
        401,
        105002,
        "Expired credentials. The `access_token` or `x-tts-access-token` header has expired.",
    ),
    "old_timestamp": (
        401,
        36009004,
        "Invalid timestamp. The value of the `timestamp` query parameter must not be earlier than "
        "5 minutes before the current time.",
    ),
    "future_timestamp": (
        401,
        36009004,
        "Invalid timestamp. The value of the `timestamp` query parameter must not exceed the "
        "current time by more than 30 seconds.",
    ),
    "negative_timestamp": (
        401,
        36009004,
        "Invalid timestamp. The value of the `timestamp` query parameter must not be lesser than "
        "0.",
    ),
    "no_shop_cipher": (
        400,
        106013,
        "Missing identifier. The `shop_cipher` query parameter is required to identify the target "
        "shop.",
    ),
    "bad_shop_cipher": (  # The page quotes it for `category_asset_cipher`; INF for shops.
        401,
        101000,
        "Invalid query or header. The `shop_cipher` query parameter or `x-tts-access-token` header "
        "is invalid.",
    ),
    "no_scope": (  # INF
        401,
        105005,
        "Access denied. The access scope of this endpoint was not granted to the app.",
    ),
    "unexpected_shop_cipher": (
        400,
        36009004,
        "Unexpected identifier. The `shop_cipher` query parameter is not required for this "
        "request.",
    ),
    "bad_path": (
        404,
        36009009,
        "Invalid path. The specified path does not match any available endpoint.",
    ),
    "bad_method": (
        405,
        36009010,
        "Invalid method. The HTTP method used is not supported by this endpoint.",
    ),
    "bad_body": (
        400,
        36009022,
        "Invalid request format. The request body format must be `application/json` for structured "
        "data or `multipart/form-data` for binary files.",
    ),
    "throttled": (
        429,
        36009002,
        "Too many requests. You've made too many requests in a short period of time.",
    ),
    "bad_param": (200, 36009004, "invalid param error"),
    # Token host. The two about refresh tokens are from reports of EcomPHP's users, on no official
    # page.
    "bad_auth_code": (200, 36004004, "Invalid auth code."),
    "no_auth_record": (200, 36004005, "can not find related auth record"),
    "expired_refresh_token": (200, 36004001, "rt has expired"),
    # Search.
    "too_many_results": (
        200,
        12052180,
        "The total number of search results can not exceed 10000.",
    ),
    "too_many_seller_skus": (
        200,
        12019027,
        "The maximum count of “seller_skus” in the search filter is 10.",
    ),
    "too_many_sku_ids": (200, 12019087, "The number of SKU IDs exceeds the limit of 10"),
    "bad_create_time": (200, 12019118, "search create time invalid"),
    "bad_update_time": (200, 12019119, "search update time invalid"),
    "no_such_product": (200, 12019150, "The product ID does not exist."),
    # Inventory Search.
    "bad_product_id": (200, 12019008, "Product id is invalid"),
    "too_many_products": (
        200,
        12019120,
        "The number of provided product IDs exceeds the limit.",
    ),
    "too_many_skus": (200, 12019015, "The number of SKU exceed the limit"),
    # Update Inventory, about the whole request.
    "bad_target": (200, 12052031, "Invalid product ID(s) found"),
    "no_such_target": (200, 12052260, "The product ID does not exist"),
    "bad_status": (
        200,
        12052901,
        "The product in its current status is not available for this operation. Change the product "
        "status and try again.",
    ),
    "no_skus": (
        200,
        12052902,
        "The SKU list is empty. Either omit the list entirely, or provide all required details.",
    ),
    "no_sku_id": (200, 12052036, "The SKU ID is necessary"),
    "same_sku_twice": (200, 12052553, "Sku id duplicate"),
}


@dataclass(eq=False)
class RefusedError(Exception):
    """Raised anywhere in the fake to answer with one of `REFUSALS`, or with another code."""

    code: int
    message: str
    status: int = 200
    retry_after_s: int | None = None


def refuse(why: str, *, retry_after_s: int | None = None) -> RefusedError:
    """Make the refusal with this name. `retry_after_s` becomes the header Retry-After."""
    status, code, message = REFUSALS[why]
    return RefusedError(code, message, status, retry_after_s)


def answer(data: object, request_id: str, *, message: str = "Success") -> web.Response:
    """Wrap data into the envelope of a success."""
    return _envelope(200, 0, message, request_id, data)


def refused(refusal: RefusedError, request_id: str) -> web.Response:
    """Wrap a refusal into the envelope. `data` is null, as in answers of the gateway."""
    response = _envelope(refusal.status, refusal.code, refusal.message, request_id, None)
    if refusal.retry_after_s is not None:
        response.headers["Retry-After"] = str(refusal.retry_after_s)
    return response


def _envelope(status: int, code: int, message: str, request_id: str, data: object) -> web.Response:
    body = {"code": code, "message": message, "request_id": request_id, "data": data}
    return web.Response(
        status=status,
        body=json.dumps(body, ensure_ascii=False).encode(),
        content_type="application/json",
    )
