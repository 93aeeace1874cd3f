"""`alert-test`: whether a message would reach somebody, tried before it matters."""

from __future__ import annotations

import asyncio

import click

from invsyncd import alerts
from invsyncd.cli.context import Context, pass_context
from invsyncd.errors import ConfigError

TITLE = "invsyncd: a test"
TEXT = "Somebody ran `invsyncd alert-test`. Nothing is wrong."


@click.command("alert-test")
@pass_context
def alert_test(context: Context) -> None:
    """Send one message through every service of alerts.urls, and say which took it.

    \b
    Example: invsyncd alert-test
    Exit codes: 0 all took it, 1 one did not, 2 usage or config, or no service is named.
    """
    settings = context.quiet_settings()
    if not settings.alerts.urls:
        raise ConfigError("alerts.urls names no service", advice="see [alerts] in the example file")
    took = asyncio.run(alerts.services(settings).results(TITLE, TEXT, alarm=False))
    for place, worked in enumerate(took, 1):
        click.echo(f"alerts.urls[{place}]: {'took it' if worked else 'took no message'}")
    if not all(took):
        click.echo("Try: compare that URL with apprise's page about its service", err=True)
    click.get_current_context().exit(0 if all(took) else 1)


COMMANDS = (alert_test,)
