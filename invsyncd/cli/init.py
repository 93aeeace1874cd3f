"""`init`: the guided set-up, at a terminal, from flags or from a file."""

from __future__ import annotations

import asyncio
import os
import shlex
import sys
import textwrap
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from invsyncd import logs
from invsyncd.cli.answers_given import answer_options, given_answers
from invsyncd.cli.first_look import first_look
from invsyncd.cli.output import Context, answers_progress, pass_context, visible, width
from invsyncd.cli.program import program
from invsyncd.config import Settings, load
from invsyncd.config.example import config_from, example_text
from invsyncd.config.load import SYSTEM_CONFIG
from invsyncd.daemon.wiring import assemble
from invsyncd.errors import ConfigError, InvsyncError
from invsyncd.setup.answers import Answers, Ask, Consent, Gathered, NotTried, WrongAnswer
from invsyncd.setup.interview import Person, interview
from invsyncd.setup.place import (
    IN_CONTAINER,
    UNIT_FOLDER,
    Place,
    PlaceKind,
    check_mounted,
    check_writable,
    give_away,
    is_container,
    is_under,
    likely_kind,
    mount_points,
    setup_place,
    write,
)
from invsyncd.setup.questions import (
    QUESTIONS,
    Question,
    consent_link,
    secret_files,
    summary,
    values,
)
from invsyncd.setup.trial import Shops, secret_variables
from invsyncd.store import Store

Rejection = WrongAnswer | NotTried


@click.command("init")
@click.option("--example", is_flag=True, help="Print the annotated example configuration, and end.")
@click.option(
    "--for",
    "kind",
    type=click.Choice([kind.value for kind in PlaceKind]),
    help="What runs the daemon; decides where the files go. Found out by itself.",
)
@click.option(
    "--answers",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help='A TOML file with answers, named as these options: client_id = "…".',
)
@answer_options
@pass_context
def init(
    context: Context, /, *, example: bool, kind: str | None, answers: Path | None, **flags: Any
) -> None:
    """Set a shop up by questions: try each answer at once, write configuration and secrets.

    Ends with a check and a dry run; writes nothing to any shop. Every question has an option, so
    it works without a terminal too. Secrets come from files, or from the variables
    INVSYNCD_SHOPIFY__CLIENT_SECRET, INVSYNCD_SHOPIFY__ACCESS_TOKEN and INVSYNCD_TIKTOK__APP_SECRET.

    \b
    Example: invsyncd init
    Exit codes: 0 ready to start, 1 something must be put right first, 2 usage
      or a wrong answer.
    """
    if example:
        click.echo(example_text(), nl=False)
        return
    place = _place(context, kind)
    given, first = given_answers(flags, answers, os.environ)
    logs.set_up((), form=context.log_format or "text", level="error")
    _greet(place, at_terminal=sys.stdin.isatty())
    person: Person = AtTerminal(given) if sys.stdin.isatty() else Given(given)
    try:
        answered, found = interview(first, Shops(answers_progress), person)
    except (click.Abort, KeyboardInterrupt):
        raise InvsyncError("stopped; nothing was written", advice="begin again any time") from None
    again = place.config.exists()
    settings = _written(place, answered, found)
    ready = first_look(
        settings, whole=f"{program()} --config {shlex.quote(str(place.config))} once --dry-run"
    )
    if ready:
        click.echo("Everything is ready. Start it:")
    else:
        click.echo("Put right what is marked ✗ (`invsyncd check` looks again). Then start it:")
    click.echo(f"  {place.start(program(), again=again)}")
    click.get_current_context().exit(0 if ready else 1)


def _place(context: Context, kind: str | None) -> Place:
    named = context.config or (Path(x) if (x := os.environ.get("INVSYNCD_CONFIG")) else None)
    config = None if named is None else Path.cwd() / named
    chosen = PlaceKind(kind) if kind else likely_kind(config, os.environ, mount_points())
    default = Path.cwd() / "config.toml" if chosen is PlaceKind.FOLDER else SYSTEM_CONFIG
    place = setup_place(chosen, config or default)
    check_mounted(place, mount_points())
    check_writable(place)
    return place


def _greet(place: Place, *, at_terminal: bool) -> None:
    if at_terminal:
        click.echo("This sets up one shop, by at most 12 questions. Each answer is tried at once.")
        click.echo("Nothing is written to any shop. Ctrl-C leaves; nothing is kept then.")
        click.echo()
    for line in place.words:
        click.echo(line)
    outlives = is_under(place.config.parent, mount_points())
    if place.kind is PlaceKind.FOLDER and is_container(os.environ) and not outlives:
        click.echo("This is a container, and these files go with it. To keep them, mount folders:")
        click.echo(f"  {IN_CONTAINER}")
    if place.kind is PlaceKind.FOLDER and os.geteuid() != 0 and UNIT_FOLDER.is_dir():
        click.echo("To set up the service of this machine instead: sudo invsyncd init")
    if place.config.exists():
        click.echo(f"{place.config} exists: it will be replaced, and a copy of it kept")
    click.echo()


class AtTerminal:
    """A person at a terminal. What was given beforehand is taken first."""

    def __init__(self, given: Mapping[Ask, str]) -> None:
        self._given = dict(given)
        self._asked: set[Ask] = set()

    def answer(self, question: Question, answers: Answers, found: Gathered, *, kept: bool) -> str:
        """The answer to one question; hidden if it is a secret."""
        if question.key in self._given:
            return self._given.pop(question.key)
        if question.key not in self._asked:
            self._asked.add(question.key)
            click.echo(click.style(f"{len(self._asked)}. {question.title}", bold=True))
            for line in question.words(answers, found):
                _wrapped(line, "   ")
        default = question.default(answers, found) if question.default else ""
        hint = " [Enter keeps it]" if kept else f" [Enter: {default}]" if default else ""
        text: str = click.prompt(
            f"{question.prompt}{hint}",
            default="",
            show_default=False,
            hide_input=question.secret,
        )
        return text if text.strip() or kept else default

    def is_wrong(self, error: Rejection, keys: Sequence[Ask], *, waits: bool) -> None:
        """Say what is wrong and what to do; the questions come again."""
        for key in keys:
            self._given.pop(key, None)
        _wrapped(f"✗ {error}", "   ", fg="red")
        _wrapped(f"Try: {error.advice}", "     ")
        if waits:
            click.prompt("Enter tries again, Ctrl-C leaves", default="", show_default=False)


def _wrapped(text: str, indent: str, **style: Any) -> None:
    """Print one line, broken between words; a row of a list goes on further right."""
    own = text[: len(text) - len(text.lstrip())]
    lines = textwrap.wrap(
        visible(text),
        width(),
        initial_indent=indent,
        subsequent_indent=f"{indent}{own}  " if own else indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    for line in lines or [""]:
        click.echo(click.style(line, **style))


class Given:
    """Answers that were given beforehand: nobody can be asked."""

    def __init__(self, given: Mapping[Ask, str]) -> None:
        self._given = given

    def answer(self, question: Question, answers: Answers, found: Gathered, *, kept: bool) -> str:
        """The answer that was given; ConfigError, which names the option, if there is none."""
        if question.key in self._given:
            return self._given[question.key]
        if question.key is Ask.UNLEVELLED and question.default:
            return question.default(answers, found)
        advice = f"give {question.flag}, or run this at a terminal, which asks"
        if question.key is Ask.CODE:
            advice = f"open {consent_link(answers)} as the seller, then give {question.flag} with"
            advice += " the address that the browser is sent to, within 30 minutes"
        elif question.key is Ask.MAPPING and question.default:
            advice += f". Proposed: {question.flag} '{question.default(answers, found)}'"
        raise ConfigError(f"{question.prompt} is not given", advice=advice)

    def is_wrong(self, error: Rejection, keys: Sequence[Ask], *, waits: bool) -> None:
        """Nobody can answer again: raise it, with the options that answer."""
        if isinstance(error, NotTried):
            raise error
        flags = ", ".join(QUESTIONS[key].flag for key in keys)
        raise ConfigError(str(error), advice=f"{error.advice}; the answer is given by {flags}")


def _written(place: Place, answers: Answers, found: Gathered) -> Settings:
    """Write everything, and say what; returns the settings as the daemon will read them."""
    made, rows = values(answers, found)
    text = config_from(example_text(), made | place.values, rows)
    click.echo()
    for line in (*summary(answers, found), *write(place, text, secret_files(answers), time.time())):
        click.echo(visible(line))
    by_unit = secret_variables(answers) if place.kind is PlaceKind.SERVICE else {}
    settings = load(place.config, place.variables | by_unit)
    logs.set_up(settings.secrets(), form=settings.log.format, level="error")
    if found.consent is not None:
        asyncio.run(_store_tokens(settings, found.consent, answers.tiktok_shop))
        give_away(settings.state.path)
        click.echo(f"stored TikTok's tokens in {settings.state.path}")
    click.echo()
    return settings


async def _store_tokens(settings: Settings, consent: Consent, shop_id: str | None) -> None:
    settings.state.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    async with Store.open(settings.state.path) as store, assemble(settings, store) as app:
        if app.tiktok_side is not None:
            await app.tiktok_side.tokens.adopt(consent.pair)
            for shop in consent.shops:
                if shop.id == shop_id:
                    await app.tiktok_side.shop.serve(shop)


COMMANDS = (init,)
