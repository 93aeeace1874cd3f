"""The command `python -m benchmarks NAME`: one benchmark for each name."""

from __future__ import annotations

import click

from benchmarks.burst import burst
from benchmarks.growth import growth
from benchmarks.http import http
from benchmarks.idle import idle
from benchmarks.latency import latency
from benchmarks.load import load
from benchmarks.market import market
from benchmarks.merge import merge
from benchmarks.mirror import mirror
from benchmarks.pages import pages
from benchmarks.processor import processor_command
from benchmarks.rest import rest
from benchmarks.rush import rush
from benchmarks.scale import scale


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def group() -> None:
    """Measure invsyncd against its own sandbox, on this machine."""


group.add_command(burst)
group.add_command(growth)
group.add_command(idle)
group.add_command(http)
group.add_command(latency)
group.add_command(load)
group.add_command(market)
group.add_command(merge)
group.add_command(mirror)
group.add_command(pages)
group.add_command(processor_command)
group.add_command(rest)
group.add_command(rush)
group.add_command(scale)

if __name__ == "__main__":
    group(prog_name="python -m benchmarks")
