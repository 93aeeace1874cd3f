"""The page on which a seller authorises the app, and the address that the browser is sent to then.

Source: Partner Center, "Authorization overview" (202407): the browser goes to the redirect URL of
the app, with app_key, code, locale and shop_region in its query. Here every seller consents.
"""

from __future__ import annotations

from urllib.parse import urlencode

from aiohttp import web

from invsyncd.sandbox.tiktok.tokens import Grants

LANDED = """\
The sandbox's seller has consented. Copy the whole address of this page, and paste it into
`invsyncd init`. (At a real shop this page is yours, and may be empty.)
"""


class ConsentPage:
    """The consent of one app."""

    def __init__(self, grants: Grants, app_key: str, service_id: str, region: str) -> None:
        self._grants = grants
        self._app_key, self._service_id, self._region = app_key, service_id, region

    async def authorise(self, request: web.Request) -> web.Response:
        """GET /open/authorize?service_id=…: consent, and send the browser on."""
        if request.query.get("service_id") != self._service_id:
            text = f"No such service. The sandbox's service ID is {self._service_id}.\n"
            return web.Response(status=404, text=text)
        query = {
            "app_key": self._app_key,
            "code": self._grants.authorise(),
            "locale": "en",
            "shop_region": self._region,
        }
        address = f"{request.url.origin()}/consented?{urlencode(query)}"
        return web.Response(status=302, headers={"Location": address})

    async def landed(self, _: web.Request) -> web.Response:
        """GET /consented: where the browser ends."""
        return web.Response(text=LANDED)
