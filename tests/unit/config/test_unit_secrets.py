"""A command beside the unit finds the unit's secrets; one that needs none asks for none.

The kind: what the unit knows (credentials, the place of its state) is not known to a command that
a person types as root in a shell of their own.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from invsyncd.config import ConfigProblems, Settings, load, unit
from invsyncd.config.sources import UNREAD
from tests.unit.config.helpers import GONE, config, put, secret_at, value_at, write

NO_SECRETS = {"shopify.access_token": GONE, "tiktok.app_secret": GONE}


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The root of a machine with our unit on it, and no secret."""
    root = tmp_path / "machine"
    for place in ("etc/invsyncd", "etc/credstore", "run/credentials/invsyncd.service"):
        (root / place).mkdir(parents=True)
    monkeypatch.setattr(unit, "ROOT", root)
    return root


def at(root: Path, name: str = "config.toml", *, needs: bool = True, **environ: str) -> Settings:
    """Load a configuration without secrets that lies where the unit reads it."""
    path = write(root / "etc/invsyncd", config(NO_SECRETS))
    return load(path.rename(path.with_name(name)), environ, needs_secrets=needs)


def stored(root: Path, **values: str) -> None:
    for name, value in values.items():
        put(root / "etc/credstore" / f"invsyncd.{name.replace('_', '-')}", value)


def test_the_credential_store_of_the_unit_is_found(machine: Path) -> None:
    stored(machine, shopify_access_token="shpat_stored", tiktok_app_secret="stored\n")
    settings = at(machine)
    assert secret_at(settings, "shopify.access_token") == "shpat_stored"
    assert secret_at(settings, "tiktok.app_secret") == "stored"


def test_what_the_running_unit_was_given_is_stronger(machine: Path) -> None:
    stored(machine, shopify_access_token="newer", tiktok_app_secret="stored")
    put(machine / "run/credentials/invsyncd.service/shopify-access-token", "given", 0o400)
    assert secret_at(at(machine), "shopify.access_token") == "given"


def test_each_instance_has_its_own_secrets_and_its_own_state(machine: Path) -> None:
    stored(machine, shopify_access_token="shpat_first", tiktok_app_secret="first")
    for name in ("shopify-access-token", "tiktok-app-secret"):
        put(machine / "etc/credstore" / f"invsyncd-north.{name}", "north")
    settings = at(machine, "north.toml")
    assert secret_at(settings, "tiktok.app_secret") == "north"
    assert value_at(settings, "state.path") == machine / "var/lib/invsyncd-north/state.db"
    assert value_at(at(machine), "state.path") == Path("/var/lib/invsyncd/state.db")


def test_in_the_unit_itself_only_what_systemd_gives_counts(machine: Path, tmp_path: Path) -> None:
    stored(machine, shopify_access_token="stored", tiktok_app_secret="stored")
    (tmp_path / "given").mkdir()
    with pytest.raises(ConfigProblems, match="app_secret"):
        at(machine, CREDENTIALS_DIRECTORY=str(tmp_path / "given"))


def test_a_configuration_elsewhere_takes_nothing_from_the_machine(
    machine: Path, tmp_path: Path
) -> None:
    stored(machine, shopify_access_token="stored", tiktok_app_secret="stored")
    with pytest.raises(ConfigProblems, match="access_token"):
        load(write(tmp_path, config(NO_SECRETS)), {})


def test_an_encrypted_secret_is_decrypted_by_systemd(
    machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (machine / "etc/credstore.encrypted").mkdir()
    for name in ("shopify-access-token", "tiktok-app-secret"):
        put(machine / "etc/credstore.encrypted" / f"invsyncd.{name}", "sealed")
    (tmp_path / "bin").mkdir()
    script = "#!/bin/sh\n[ $1 = decrypt ] && echo opened-${2#--name=}\n"
    put(tmp_path / "bin/systemd-creds", script, 0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    assert secret_at(at(machine), "tiktok.app_secret") == "opened-tiktok-app-secret"


def test_a_store_that_may_not_be_read_is_named_with_what_to_do(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loading = sys.modules["invsyncd.config.load"]  # the package has a function of that name
    monkeypatch.setattr(loading, "closed_stores", lambda unit: ["/etc/credstore"])
    with pytest.raises(ConfigProblems) as told:
        at(machine)
    assert told.value.advice.startswith("run it as root: the unit's secrets are in /etc/credstore")


@pytest.mark.parametrize("spoilt", ["missing", "a directory", "open to others"])
def test_without_a_need_no_secret_is_asked_for(machine: Path, spoilt: str, tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    file = secrets / "shopify-access-token"
    if spoilt == "a directory":
        file.mkdir()
    elif spoilt != "missing":
        put(file, "x", 0o644)
    settings = at(machine, needs=False, INVSYNCD_SECRETS_DIR=str(secrets))
    assert secret_at(settings, "tiktok.app_secret") == UNREAD


def test_client_credentials_need_no_secret_either(machine: Path) -> None:
    path = write(machine / "etc/invsyncd", config({**NO_SECRETS, "shopify.client_id": "id"}))
    assert secret_at(load(path, {}, needs_secrets=False), "shopify.client_secret") == UNREAD


def test_everything_else_that_is_wrong_is_still_told(machine: Path) -> None:
    path = write(machine / "etc/invsyncd", config({**NO_SECRETS, "tiktok.percent": 101}))
    with pytest.raises(ConfigProblems) as told:
        load(path, {}, needs_secrets=False)
    assert [problem.key for problem in told.value.problems] == ["tiktok.percent"]
