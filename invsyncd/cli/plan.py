"""`plan`: shows what a new configuration would change, before it is used."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import click

from invsyncd.cli.output import (
    TOP,
    Context,
    as_json,
    count_progress,
    pass_context,
    print_json,
    print_shifts,
    print_totals,
    read_state,
    shifts_json,
)
from invsyncd.config import Settings, load
from invsyncd.planning.whatif import WhatIf, what_if


@click.command()
@click.option(
    "--config",
    "new_config",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="NEW.toml",
    help="The new configuration. The one in front of the command is the one that runs now.",
)
@click.option("--all", "show_all", is_flag=True, help="Every row, not only the largest.")
@as_json
@pass_context
def plan(context: Context, new_config: Path, show_all: bool, as_json: bool) -> None:
    """Compare what the running configuration shows with what a new one would show.

    Uses only local state: makes no call, and leaves the database alone. Names what only the shops
    know. If the new configuration is wrong, names all its problems.

    \b
    Example: invsyncd plan --config new.toml
    Exit codes: 0 compared, 1 no usable state database, 2 usage, or either
      configuration is wrong.
    """
    running = context.quiet_settings(needs_secrets=False)
    new = load(Path.cwd() / new_config, os.environ, needs_secrets=False)
    found = asyncio.run(_what_if(running, new, new_config))
    compared = found.compared
    if as_json:
        print_json(
            {
                "new": str(new_config),
                "as_of": found.as_of,
                "totals": {
                    target.value: {e.value.replace(" ", "_"): n for e, n in counts.items()}
                    for target, counts in compared.totals.items()
                },
                "rows": shifts_json(compared.shifts),
                "would_pause": {t.value: why for t, why in compared.would_pause.items()},
                "unknown": list(found.unknown),
            }
        )
        return
    print_shifts(f"What {new_config} would change", compared.shifts, None if show_all else TOP)
    print_totals({target.value: counts for target, counts in compared.totals.items()})
    for target, why in compared.would_pause.items():
        click.echo(f"The guard would pause {target.value}: {why}")
    for sentence in found.unknown:
        click.echo(f"Not known here: {sentence}")
    click.echo(f"As of the state read at {found.as_of or 'no time yet'}; no call was made.")


async def _what_if(running: Settings, new: Settings, path: Path) -> WhatIf:
    with count_progress("comparing items") as on_page:
        async with read_state(running) as store:
            now = int(time.time())
            return await what_if(store, running, new, now, name=str(path), on_page=on_page)


COMMANDS = (plan,)
