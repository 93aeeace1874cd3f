"""`sandbox` and `demo`: ways to try invsyncd without a shop."""

from __future__ import annotations

import asyncio
import os
import shlex
from pathlib import Path

import click
from rich.console import Console

from invsyncd.cli.program import program
from invsyncd.errors import InvsyncError


@click.command()
def demo() -> None:
    """Show the daemon at work in the sandbox, step by step; takes about a minute.

    It needs no shop, and leaves nothing behind.

    \b
    Example: invsyncd demo
    Exit codes: 0 everything agreed, 1 something did not, or it was stopped.
    """
    # Said before the imports below, which take a moment.
    click.echo("The real daemon between a fake Shopify and a fake TikTok Shop. Ctrl-C ends it.")
    # Imported here and below, not on top: the daemon must not pay for the fakes (5 MB and 0.1 s).
    from invsyncd.sandbox.demo import tell  # noqa: PLC0415

    try:
        agreed = asyncio.run(tell(Console(highlight=False)))
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise InvsyncError("the demo was stopped before its end; nothing is left behind") from None
    except OSError as error:
        raise _cannot_start("demo", error, "free some space, or set TMPDIR") from None
    if not agreed:
        raise InvsyncError(
            "something did not agree: see ✗ above",
            advice="run it once more: a machine that is very busy may be too slow for it",
        )
    called = program()
    click.echo("Everything agreed. Next:")
    click.echo(f"  {called} sandbox   be the shop's people; play an outage")
    click.echo(f"  {called} init      set up your own shop, by questions")


@click.command("sandbox")
@click.option("--shopify-port", type=click.IntRange(0, 65535), default=0, help="0: any free port.")
@click.option("--tiktok-port", type=click.IntRange(0, 65535), default=0, help="0: any free port.")
@click.option("--items", type=click.IntRange(0, 100_000), default=10, show_default=True)
@click.option(
    "--seed", type=int, default=1, show_default=True, help="The same seed, the same shop."
)
@click.option(
    "--write-config",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("sandbox.toml"),
    show_default=True,
    help="Where to write the configuration.",
)
def sandbox_command(
    shopify_port: int, tiktok_port: int, items: int, seed: int, write_config: Path
) -> None:
    """Run only the two fake services, and write a configuration for them, until interrupted.

    \b
    Example: invsyncd sandbox --items 1000 --seed 7
    Exit codes: 0 interrupted, 1 it cannot start, 2 usage.
    """
    from invsyncd.sandbox.control import greeting  # noqa: PLC0415
    from invsyncd.sandbox.serve import LISTEN, config_text, sandbox, serving  # noqa: PLC0415

    made = sandbox(items=items, seed=seed)
    ports = {"shopify_port": shopify_port, "tiktok_port": tiktok_port}
    state = write_config.absolute().with_name("sandbox-state.db")

    async def serve() -> None:
        async with serving(made, **ports) as urls:
            _write_private(write_config, config_text(made, *urls, state, interval_s=2))
            click.echo(f"fake Shopify:     {urls[0]}")
            click.echo(f"fake TikTok Shop: {urls[1]}")
            places = [location.name for location in made.shop.locations.values()]
            click.echo(f"{items} items at {len(places)} locations: {', '.join(places)}")
            click.echo()
            config, page = shlex.quote(str(write_config)), f"http://{LISTEN}/"
            click.echo(greeting(urls, program(), config, page=page, location=places[0]))
            await asyncio.Event().wait()

    try:
        asyncio.run(serve())
    except KeyboardInterrupt:
        click.echo("stopped")
    except OSError as error:
        raise _cannot_start("sandbox", error, "use other ports, or another folder") from None


def _cannot_start(what: str, error: OSError, advice: str) -> InvsyncError:
    reason = error.strerror or str(error)
    reason = f"{error.filename}: {reason}" if error.filename else reason
    return InvsyncError(f"the {what} cannot start: {reason}", advice=advice)


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)


COMMANDS = (sandbox_command, demo)
