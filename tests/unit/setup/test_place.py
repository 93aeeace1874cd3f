"""Where a set-up puts its files: modes, owners, and what was there before."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from invsyncd.errors import ConfigError, InvsyncError
from invsyncd.setup.place import (
    Place,
    PlaceKind,
    check_mounted,
    check_writable,
    give_away,
    likely_kind,
    setup_place,
    write,
)

NOW = 1_780_000_000.0
SECRETS = {"shopify-client-secret": "canary"}


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def service(root: Path, name: str = "config.toml") -> Place:
    return setup_place(PlaceKind.SERVICE, root / "etc/invsyncd" / name, root)


@pytest.fixture(autouse=True)
def _as_the_command_does() -> None:
    os.umask(0o077)


def test_a_service_reads_its_configuration_and_only_root_its_secrets(tmp_path: Path) -> None:
    place = service(tmp_path)
    write(place, "text", SECRETS, NOW)
    secret = tmp_path / "etc/credstore/invsyncd.shopify-client-secret"
    assert secret.read_text() == "canary\n"
    assert (mode(secret), mode(secret.parent)) == (0o600, 0o700)
    assert (mode(place.config), mode(place.config.parent)) == (0o644, 0o755)
    assert place.start("invsyncd") == "systemctl enable --now invsyncd"
    again = place.start("invsyncd", again=True)
    assert again == "systemctl enable invsyncd && systemctl restart invsyncd"
    assert place.values == {}


def test_a_further_shop_has_files_and_a_unit_of_its_own(tmp_path: Path) -> None:
    place = service(tmp_path, "acme.toml")
    write(place, "text", SECRETS, NOW)
    assert (tmp_path / "etc/credstore/invsyncd-acme.shopify-client-secret").exists()
    assert place.start("invsyncd") == "systemctl enable --now invsyncd@acme"
    assert place.state == tmp_path / "var/lib/invsyncd-acme/state.db"


def test_a_service_outside_its_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="/etc/invsyncd"):
        setup_place(PlaceKind.SERVICE, tmp_path / "config.toml")


def test_a_folder_is_for_its_user_alone(tmp_path: Path) -> None:
    place = setup_place(PlaceKind.FOLDER, tmp_path / "config.toml")
    write(place, "text", SECRETS, NOW)
    assert mode(place.config) == 0o600
    assert mode(tmp_path / "secrets") == 0o700
    assert mode(tmp_path / "secrets" / "shopify-client-secret") == 0o600
    assert place.values == {"secrets_dir": "secrets", "state.path": "state.db"}


def test_a_configuration_that_is_there_is_kept_and_said(tmp_path: Path) -> None:
    place = setup_place(PlaceKind.FOLDER, tmp_path / "config.toml")
    place.config.write_text("mine\n")
    place.config.chmod(0o640)
    lines = write(place, "new\n", SECRETS, NOW)
    copy = tmp_path / "config.toml.20260528T202640Z.bak"
    assert (copy.read_text(), mode(copy)) == ("mine\n", 0o640)
    assert place.config.read_text() == "new\n"
    assert any(str(copy) in line for line in lines)


def test_a_second_way_to_sign_in_is_moved_aside_and_said(tmp_path: Path) -> None:
    place = setup_place(PlaceKind.FOLDER, tmp_path / "config.toml")
    write(place, "text", {"shopify-access-token": "old"}, NOW)
    lines = write(place, "text", SECRETS, NOW + 1)
    assert not (tmp_path / "secrets" / "shopify-access-token").exists()
    assert any("shopify-access-token" in line and "aside" in line for line in lines)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_root_makes_in_a_folder_of_another_user_belongs_to_that_user(tmp_path: Path) -> None:
    os.chown(tmp_path, 4711, 4712)
    place = setup_place(PlaceKind.FOLDER, tmp_path / "config.toml")
    write(place, "text", SECRETS, NOW)
    (tmp_path / "state.db").touch()
    give_away(tmp_path / "state.db")
    made = [
        place.config,
        place.secrets,
        place.secret("shopify-client-secret"),
        tmp_path / "state.db",
    ]
    assert {(path.stat().st_uid, path.stat().st_gid) for path in made} == {(4711, 4712)}


def test_a_place_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "secrets").touch()
    place = setup_place(PlaceKind.FOLDER, tmp_path / "config.toml")
    with pytest.raises(InvsyncError, match="cannot write") as error:
        write(place, "text", SECRETS, NOW)
    assert "--config" in error.value.advice
    assert not place.config.exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_place_of_somebody_else_is_refused_before_anything_is_asked() -> None:
    with pytest.raises(ConfigError, match="cannot write in /"):
        check_writable(setup_place(PlaceKind.SERVICE, Path("/etc/invsyncd/config.toml")))


def test_a_folder_that_is_not_there_yet_will_be_made(tmp_path: Path) -> None:
    place = setup_place(PlaceKind.FOLDER, tmp_path / "new" / "shop" / "config.toml")
    check_writable(place)
    write(place, "text", SECRETS, NOW)
    assert mode(place.config.parent) == 0o700


def test_a_container_that_would_lose_the_files_says_what_to_mount() -> None:
    place = setup_place(PlaceKind.CONTAINER, Path("/etc/invsyncd/config.toml"))
    with pytest.raises(ConfigError, match="/var/lib/invsyncd would be gone") as error:
        check_mounted(place, ["/", "/etc/invsyncd"])
    assert "-v invsyncd-state:/var/lib/invsyncd" in error.value.advice
    check_mounted(place, ["/", "/etc/invsyncd", "/var/lib/invsyncd"])
    assert "docker run -d" in place.start("invsyncd")


def test_a_container_with_the_folder_mounted_is_known_by_itself() -> None:
    environ = {"container": "podman"}
    assert likely_kind(None, environ, ["/", "/etc/invsyncd"]) is PlaceKind.CONTAINER
    assert likely_kind(Path("/tmp/x.toml"), environ, ["/"]) is PlaceKind.FOLDER  # noqa: S108
