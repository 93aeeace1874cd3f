"""Mends aioresponses 0.7.9 on aiohttp 3.14: passes on what it forgets to give a response.

Only for tests of a request's shape; sandbox servers carry the rest, because aioresponses replaces
the session's inside and with it time-outs and connections.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import Mock, patch

from aiohttp import ClientResponse
from aioresponses import aioresponses


class _Response(ClientResponse):
    def __init__(self, *args: object, **kwargs: object) -> None:
        kwargs.setdefault("stream_writer", Mock(output_size=0))
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]


@contextmanager
def wire() -> Iterator[aioresponses]:
    """Answer requests from a script instead of the network."""
    with patch("aioresponses.core.ClientResponse", _Response), aioresponses() as scripted:
        yield scripted
