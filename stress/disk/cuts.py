"""Rebuilds the files that a crash leaves, from a log of writes. Unpacking is the only I/O.

A kill leaves all that was done. A power cut keeps what was synced; of the rest each 512-byte sector
may or may not have reached the disk, whatever the order, and a new length may stand without its
bytes. Names are kept in order: file systems that journal their directories do that.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stress.disk.record import Op

SECTOR = 512


@dataclass
class _File:
    """Its bytes as the process sees them, as they lie on the disk, and what is not synced."""

    now: bytearray = field(default_factory=bytearray)
    synced: bytes = b""
    dirty: set[int] = field(default_factory=set)  # sectors

    def write(self, offset: int, data: bytes) -> None:
        """Write, growing with zeros where needed."""
        end = offset + len(data)
        if end > len(self.now):
            self.now.extend(bytes(end - len(self.now)))
        self.now[offset:end] = data
        self.dirty |= set(range(offset // SECTOR, -(-end // SECTOR)))

    def truncate(self, size: int) -> None:
        """Cut, or grow with zeros."""
        if size < len(self.now):
            del self.now[size:]
        else:
            self.now.extend(bytes(size - len(self.now)))
        self.dirty.add(size // SECTOR)

    def sync(self) -> None:
        """Everything lasts."""
        self.synced, self.dirty = bytes(self.now), set()

    def torn(self, dice: random.Random) -> bytes:
        """What a power cut leaves: each unsynced sector is the new one, or what was there."""
        if not self.dirty:
            return self.synced
        kept = dice.random()
        size = dice.choice((len(self.now), len(self.synced)))
        left = bytearray(self.synced[:size].ljust(size, b"\0"))
        for sector in self.dirty:
            at = sector * SECTOR
            if at < size and dice.random() < kept:
                piece = self.now[at : min(at + SECTOR, size)]
                left[at : at + len(piece)] = piece
        return bytes(left)


class Disk:
    """The folder while the log is replayed."""

    def __init__(self, begin: Mapping[str, bytes]) -> None:
        self._files = {name: _File(bytearray(data), data) for name, data in begin.items()}

    def apply(self, op: Op) -> None:
        """Do what the process did."""
        if op.kind == "unlink":
            self._files.pop(op.name, None)
            return
        if op.kind == "rename":
            self._files[op.data.decode()] = self._files.pop(op.name)
            return
        if op.kind == "sync" and op.name not in self._files:
            return  # the folder itself
        file = self._files.setdefault(op.name, _File())
        match op.kind:
            case "write":
                file.write(op.offset, op.data)
            case "truncate":
                file.truncate(op.offset)
            case "sync":
                file.sync()
            case _:
                pass

    def killed(self) -> dict[str, bytes]:
        """What a kill leaves."""
        return {name: bytes(file.now) for name, file in self._files.items()}

    def cut(self, dice: random.Random) -> dict[str, bytes]:
        """What a power cut leaves."""
        return {name: file.torn(dice) for name, file in self._files.items()}


@dataclass(frozen=True, slots=True)
class Left:
    """What is found after a crash before operation number `at`; `how` is kill or power cut."""

    at: int
    how: str
    files: Mapping[str, bytes]

    def unpack(self, folder: Path) -> None:
        """Put it into an empty folder."""
        for name, data in self.files.items():
            (folder / name).write_bytes(data)


def crashes(
    begin: Mapping[str, bytes], ops: Sequence[Op], *, seed: int, cuts: int, every: int = 1
) -> Iterator[Left]:
    """One kill and some power cuts before each operation (or each `every`th), and at the end."""
    disk, dice = Disk(begin), random.Random(seed)
    for at in range(len(ops) + 1):
        if at % every == 0 or at == len(ops):
            yield Left(at, "kill", disk.killed())
            for _ in range(cuts):
                yield Left(at, "power cut", disk.cut(dice))
        if at < len(ops):
            disk.apply(ops[at])
