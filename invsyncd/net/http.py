"""One request and its answer. Every failure becomes one of our errors here and nowhere else.

There are no retries, rates or JSON here, and no API by name. No secret leaves this file: messages
hold the API, the operation and the kind of failure. aiohttp's own exceptions print the URL with its
query and the request headers (seen: a TikTok refresh carries the app secret in its query), so they
are never chained.

A request is sent once. aiohttp sends a GET again by itself when the connection breaks before an
answer came (seen in its source and on the wire); that is switched off. A TikTok refresh is a GET
that uses up its token. What is repeated, and how often, only `retry` and its callers decide.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

import aiohttp

from invsyncd import __version__
from invsyncd.errors import InvalidResponse, InvsyncError, Refused, Unauthorised, Unavailable
from invsyncd.net.failures import check_headers, link, raise_redirected, raise_unavailable

Query = Mapping[str, str] | Sequence[tuple[str, str]]
OnRequest = Callable[[str, str, int | str, float], None]

BODY_BYTES_MAX = 32 * 1024 * 1024
RETRY_AFTER_S_MAX = 3600.0
_CHUNK_BYTES = 64 * 1024
_CONNECT_S_MAX = 10.0
_TIME_MAX = 4_102_444_800  # the year 2100


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with any status but a redirect, and with the whole body.

    `headers` ignores case. `server_time` is the Date header in Unix seconds; None if it is missing
    or unreadable.
    """

    status: int
    body: bytes
    headers: Mapping[str, str]
    server_time: int | None

    @property
    def retry_after_s(self) -> float | None:
        """Seconds that Retry-After asks for, given as seconds or as a date (documented: both).

        At most an hour, because one more request an hour costs nobody anything.
        """
        text = self.headers.get("Retry-After", "").strip()
        if not text:
            return None
        try:
            seconds = float(text)
        except ValueError:
            until = http_date(text)
            if until is None or self.server_time is None:
                return None
            seconds = float(until - self.server_time)
        return min(max(0.0, seconds), RETRY_AFTER_S_MAX) if math.isfinite(seconds) else None


def session() -> aiohttp.ClientSession:
    """Return the session that every client shares; the caller closes it.

    The environment must not decide where a token goes: proxy variables and ~/.netrc are ignored
    (`trust_env=False`), and there are no cookies. Bodies may come compressed; `Http` limits their
    unpacked size.
    """
    return aiohttp.ClientSession(
        headers={"User-Agent": f"invsyncd/{__version__}"},
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        auto_decompress=True,
        middlewares=(send_once,),
    )


class Http:
    """Sends requests through a shared session, with limits of time and size."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        timeout_s: float = 30.0,
        body_bytes_max: int = BODY_BYTES_MAX,
        on_request: OnRequest = lambda *_: None,
        on_progress: Callable[[], None] = lambda: None,
    ) -> None:
        self._session = session
        self._timeout_s = timeout_s
        self._timeout = aiohttp.ClientTimeout(
            total=timeout_s, sock_connect=min(timeout_s, _CONNECT_S_MAX)
        )
        self._body_bytes_max = body_bytes_max
        self._on_request = on_request
        self._on_progress = on_progress

    async def request(
        self,
        method: str,
        url: str,
        *,
        api: str,
        op: str,
        headers: Mapping[str, str] | None = None,
        params: Query | None = None,
        data: bytes | None = None,
    ) -> Answer:
        """Send one request and return its answer, whatever its status, redirects excepted.

        Raises Unavailable when there is no whole answer (`outcome_unknown` is False only where no
        connection was opened), Refused for a redirect (a token must not travel on),
        InvalidResponse for a body over `body_bytes_max`, ConfigError for an address or a header
        that cannot be sent.
        """
        check_headers(api, headers or {})
        started = _now()
        code: int | str = "cancelled"
        try:
            answer = await self._exchange(
                f"{api} {op}", method, url, headers=headers, params=params, data=data
            )
            code = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as failure:
            code = _label(failure)
            raise_unavailable(f"{api} {op}", failure, self._timeout_s)
        except (InvalidResponse, Refused) as failure:
            code = _label(failure)
            raise
        finally:
            self._on_progress()
            self._on_request(api, op, code, _now() - started)
        return answer

    async def download(
        self, url: str, *, api: str, op: str, bytes_max: int, total_s: float
    ) -> AsyncGenerator[bytes, None]:
        """Yield a file piece by piece; a caller that stops early must close this iterator.

        The file is never held whole in memory. `bytes_max` limits its unpacked size, `total_s` the
        whole download, and the usual time-out each silence. Only the address is sent. Raises
        Unavailable and InvalidResponse as `request` does. Raises Refused for an address that is
        not https (except on this machine), for a redirect, and also for 401 and 403: they concern
        the link, not one of our tokens.
        """
        what, address, started = f"{api} {op}", link(url, f"{api} {op}"), _now()
        code: int | str = "cancelled"
        timeout = aiohttp.ClientTimeout(
            total=total_s, sock_connect=_CONNECT_S_MAX, sock_read=self._timeout_s
        )
        try:
            async with self._session.get(
                address, timeout=timeout, allow_redirects=False
            ) as response:
                _check_download(response, what)
                size = 0
                async for piece in response.content.iter_chunked(_CHUNK_BYTES):
                    size += len(piece)
                    if size > bytes_max:
                        raise InvalidResponse(f"{what}: the file is larger than {bytes_max} bytes")
                    self._on_progress()
                    yield piece
                code = response.status
        except (aiohttp.ClientError, TimeoutError, OSError) as failure:
            code = _label(failure)
            silent = isinstance(failure, aiohttp.SocketTimeoutError)
            raise_unavailable(what, failure, self._timeout_s if silent else total_s)
        except InvsyncError as failure:
            code = _label(failure)
            raise
        finally:
            self._on_progress()
            self._on_request(api, op, code, _now() - started)

    async def _exchange(
        self,
        what: str,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None,
        params: Query | None,
        data: bytes | None,
    ) -> Answer:
        async with self._session.request(
            method,
            url,
            headers=headers,
            params=params,
            data=data,
            timeout=self._timeout,
            allow_redirects=False,
        ) as response:
            raise_redirected(what, response.status)
            body = await self._body(response, what)
            date = http_date(response.headers.get("Date", ""))
            return Answer(response.status, body, response.headers, date)

    async def _body(self, response: aiohttp.ClientResponse, what: str) -> bytes:
        body = bytearray()
        async for piece in response.content.iter_chunked(_CHUNK_BYTES):
            body += piece
            if len(body) > self._body_bytes_max:
                # Closed, not released: to reuse the connection, the rest would have to be read.
                response.close()
                raise InvalidResponse(
                    f"{what}: the answer is larger than {self._body_bytes_max} bytes"
                )
        return bytes(body)


def http_date(text: str) -> int | None:
    """Unix seconds of an HTTP date; None for other text, and outside the years 1970 to 2099."""
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):
        return None
    # RFC 9110 dates are GMT; "-0000" is the one spelling that parses without a zone.
    at = int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    return at if 0 <= at < _TIME_MAX else None


def raise_for_status(answer: Answer, what: str, reason: str = "") -> None:
    """Raise the fitting error for a status that is not 2xx. `reason` must hold no secret.

    408, 429 and every 5xx are Unavailable with an unknown outcome: none of them promises that
    nothing was done.
    """
    status = answer.status
    if 200 <= status < 300:
        return
    message = f"{what}: HTTP {status}" + (f": {reason}" if reason else "")
    if status in (408, 429) or status >= 500:
        raise Unavailable(message, retry_after_s=answer.retry_after_s)
    if status in (401, 403):
        raise Unauthorised(message)
    raise Refused(message, code=str(status))


def _check_download(response: aiohttp.ClientResponse, what: str) -> None:
    raise_redirected(what, response.status)
    message = f"{what}: HTTP {response.status}"
    if response.status in (408, 429) or response.status >= 500:
        raise Unavailable(message)
    if response.status != 200:
        raise Refused(message, code=str(response.status))


def _now() -> float:
    return asyncio.get_running_loop().time()


class ConnectionCut(aiohttp.ClientConnectionError):
    """A connection that broke after the request was sent. aiohttp does not repeat this error."""


async def send_once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Pass a request on, as a middleware of the session; raise ConnectionCut if it breaks."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise  # nothing was sent; aiohttp does not repeat it either
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError):
        raise ConnectionCut from None


def _label(failure: BaseException) -> str:
    """The word for a failed request in metrics."""
    return getattr(failure, "label", "") or type(failure).__name__
