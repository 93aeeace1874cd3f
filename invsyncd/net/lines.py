"""Splits a stream of bytes into lines; holds at most one piece and one line."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator

from invsyncd.errors import InvalidResponse


async def lines(
    pieces: AsyncIterable[bytes], *, line_bytes_max: int, what: str
) -> AsyncIterator[bytes]:
    """Yield the lines without their line ends. The last line may lack one.

    Raises InvalidResponse for a line longer than `line_bytes_max`.
    """
    rest = b""
    async for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            _check(line, line_bytes_max, what)
            yield line
        _check(rest, line_bytes_max, what)
    if rest:
        yield rest


def _check(line: bytes, line_bytes_max: int, what: str) -> None:
    if len(line) > line_bytes_max:
        raise InvalidResponse(f"{what}: a line is longer than {line_bytes_max} bytes")
