"""A request leaves once: the repetition that aiohttp makes by itself is switched off.

aiohttp sends a GET again when the connection breaks before an answer came (seen in its source and
on the wire). To it a GET is harmless; a TikTok refresh is one, and uses up the token that it
carries. What is repeated, and how often, only `retry` and its callers may decide.
"""

from __future__ import annotations

import aiohttp


class ConnectionCut(aiohttp.ClientConnectionError):
    """The connection broke after the request was sent; not among what aiohttp repeats."""


async def once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Hand a request on, as a middleware of the session; raise ConnectionCut when it breaks."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise  # nothing was sent; aiohttp does not repeat it either
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError):
        raise ConnectionCut from None
