"""`invsyncd init` without a terminal: from options or a file; a wrong answer names its option."""

from __future__ import annotations

import asyncio
import os
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from invsyncd.cli import group
from invsyncd.sandbox.serve import Sandbox, sandbox, serving
from tests.support.running import files, kept_logging

MAIN = "Main warehouse"
SECRETS = ("sandbox-secret", "sandbox-app-secret", "canary")
UNIT = ("--for", "folder")


@dataclass
class SetUp:
    """Both shops, a folder, and the answers that are right."""

    made: Sandbox
    home: Path
    urls: tuple[str, str]

    def __post_init__(self) -> None:
        for name, secret in (("s1", "sandbox-secret"), ("s2", "sandbox-app-secret")):
            (self.home / name).write_text(f"{secret}\n")
        self.folder = self.home / "shop"
        self.config = self.folder / "config.toml"
        self.folder.mkdir()

    @property
    def right(self) -> dict[str, str]:
        return {
            "--shop": "sandbox",
            "--client-id": "sandbox-client",
            "--client-secret-file": str(self.home / "s1"),
            "--locations": "all",
            "--app-key": "sandbox-app",
            "--app-secret-file": str(self.home / "s2"),
            "--service-id": "7000000000000000042",
            "--redirect": f"https://acme.com/?code={self.made.tiktok.authorise()}",
        }

    async def init(
        self,
        *more: str,
        changed: dict[str, str | None] | None = None,
        env: dict[str, str] | None = None,
    ) -> Result:
        """Run it with the right answers, but for those that are changed (None: not given)."""
        answers = {k: v for k, v in (self.right | (changed or {})).items() if v is not None}
        words = [word for pair in answers.items() for word in pair]
        ends = ("--shopify-endpoint", self.urls[0], "--tiktok-endpoint", self.urls[1])
        return await self.ask("init", *ends, *words, *more, env=env)

    async def ask(self, *words: str, env: dict[str, str] | None = None) -> Result:
        arguments = ("--config", str(self.config), *words)
        with kept_logging():
            result = await asyncio.to_thread(
                CliRunner(env=env).invoke, group, arguments, catch_exceptions=False
            )
        assert [secret for secret in SECRETS if secret in result.output] == []
        return result


@asynccontextmanager
async def set_up(home: Path, **stock: int) -> AsyncIterator[SetUp]:
    os.umask(0o077)  # as the command does
    made = sandbox(items=0, locations=3)
    for sku, units in (stock or {"TEE": 10}).items():
        made.add(sku, units)
    async with serving(made) as urls:
        yield SetUp(made, home, urls)


async def test_options_are_enough_and_a_pass_of_what_was_written_agrees(tmp_path: Path) -> None:
    async with set_up(tmp_path) as w:
        done = await w.init()
        assert done.exit_code == 0, done.output
        assert f"invsyncd --config {w.config} run" in done.stdout
        assert "A first pass would write 1 number in TikTok" in done.stdout
        assert w.made.market.updates == []
        assert (await w.ask("check")).exit_code == 0
        assert (await w.ask("once")).exit_code == 0
        assert w.made.market.available("TEE", MAIN) == 10


async def test_a_file_is_enough_and_secrets_may_come_by_the_environment(tmp_path: Path) -> None:
    async with set_up(tmp_path) as w:
        answers = tmp_path / "answers.toml"
        answers.write_text(
            'shop = "sandbox"\nclient_id = "sandbox-client"\nlocations = ["Berlin", "Munich"]\n'
            'app_key = "sandbox-app"\napp_secret_file = "s2"\nservice_id = "7000000000000000042"\n'
            f'region = "other"\nredirect = "{w.made.tiktok.authorise()}"\n'
            f'shopify_endpoint = "{w.urls[0]}"\ntiktok_endpoint = "{w.urls[1]}"\n'
        )
        env = {"INVSYNCD_SHOPIFY__CLIENT_SECRET": "sandbox-secret"}
        done = await w.ask("init", "--answers", str(answers), env=env)
        assert done.exit_code == 0, done.output
        config = tomllib.loads(w.config.read_text())
        assert config["mirror"]["locations"] == ["Berlin", "Munich"]


async def test_an_old_app_signs_in_by_its_token(tmp_path: Path) -> None:
    async with set_up(tmp_path) as w:
        (tmp_path / "token").write_text("shpat_sandbox")
        changed = {
            "--client-id": None,
            "--client-secret-file": None,
            "--access-token-file": str(tmp_path / "token"),
            "--app-key": None,
            "--app-secret-file": None,
            "--redirect": None,
        }
        done = await w.init("--no-tiktok", changed=changed)
        assert done.exit_code == 0, done.output
        assert (w.folder / "secrets" / "shopify-access-token").read_text() == "shpat_sandbox\n"
        assert tomllib.loads(w.config.read_text())["tiktok"] == {"enabled": False}


WRONG: list[tuple[dict[str, str | None], str, str]] = [
    ({"--shop": None}, "Shopify shop is not given", "--shop"),
    ({"--shop": "acme.com"}, "own domain", "--shop"),
    ({"--client-id": "shpat_canary"}, "that is a secret", "--client-id"),
    ({"--client-id": "another-client"}, "does not accept these credentials", "--client-id"),
    ({"--client-secret-file": None}, "Secret is not given", "--client-secret-file"),
    ({"--client-secret-file": "/nowhere"}, "No such file", "name a file with the secret"),
    ({"--locations": None}, "Locations to mirror is not given", "--locations"),
    ({"--locations": "Berlin"}, "nothing to be mirrored with", "--locations"),
    ({"--locations": "Berlin, Rome"}, '"Rome" is none of the locations', "--locations"),
    ({"--app-key": None}, "TikTok app key is not given", "--no-tiktok"),
    ({"--app-key": "another-app"}, "does not know this app key", "--app-key"),
    ({"--app-secret-file": None}, "TikTok app secret is not given", "--app-secret-file"),
    ({"--service-id": "acme", "--redirect": None}, "no service ID", "--service-id"),
    ({"--redirect": None}, "the US (y/n) is not given", "--region us (or other)"),
    ({"--redirect": "https://acme.com/?error=x"}, "has no code=", "--redirect"),
    ({"--redirect": "https://acme.com/?code=TTP_no"}, "does not take the code", "30 minutes, once"),
]


@pytest.mark.parametrize(("changed", "message", "advice"), WRONG)
async def test_a_wrong_answer_ends_with_2_and_names_its_option(
    changed: dict[str, str | None], message: str, advice: str, tmp_path: Path
) -> None:
    async with set_up(tmp_path) as w:
        done = await w.init(changed=changed)
        assert done.exit_code == 2, done.output
        assert message in done.stderr
        assert done.stderr.startswith("Error: ")
        assert advice in done.stderr.partition("\nTry: ")[2]
        assert files(w.folder) == {}


async def test_without_the_address_the_consent_link_is_named(tmp_path: Path) -> None:
    async with set_up(tmp_path) as w:
        done = await w.init("--region", "other", changed={"--redirect": None})
        assert done.exit_code == 2
        assert f"open {w.urls[1]}/open/authorize?service_id=7000000000000000042" in done.stderr
        assert "--redirect" in done.stderr


@pytest.mark.parametrize(
    ("fault", "message"),
    [("500-before", "Shopify does not answer"), ("401", "does not accept these credentials")],
)
async def test_a_shop_that_is_down_is_told_from_one_that_refuses(
    fault: str, message: str, tmp_path: Path
) -> None:
    async with set_up(tmp_path) as w:
        w.made.shopify_faults.add(fault, times=1000, match="/admin/")
        done = await w.init()
        assert message in done.stderr
        assert done.exit_code == (1 if fault == "500-before" else 2)


@pytest.mark.parametrize(
    ("closed", "grant_error", "message", "advice"),
    [
        (404, "", "Shopify knows no shop of this name", "acme.myshopify.com"),
        (402, "", "Shopify has closed this shop", "a bill is paid"),
        (423, "", "Shopify has closed this shop", "locked"),
        (0, "shop_not_permitted", "different organisations", "the shop's own organisation"),
        (0, "application_cannot_be_found", "does not accept these credentials", "the same app"),
    ],
)
async def test_each_way_in_which_shopify_refuses_says_what_to_do(
    closed: int, grant_error: str, message: str, advice: str, tmp_path: Path
) -> None:
    async with set_up(tmp_path) as w:
        w.made.shopify.closed, w.made.shopify.grant_error = closed, grant_error
        done = await w.init()
        assert done.exit_code == 2
        assert message in done.stderr.partition("\nTry: ")[0]
        assert advice in done.stderr.partition("\nTry: ")[2]


async def test_a_location_that_is_not_mirrored_is_named_where_it_adds_to_tiktok(
    tmp_path: Path,
) -> None:
    async with set_up(tmp_path) as w:
        done = await w.init(changed={"--locations": "Berlin, Hamburg"})
        assert done.exit_code == 0, done.output
        assert "not mirrored: Munich, whose own stock is added to what TikTok shows" in done.stdout


async def test_a_tiktok_that_is_down_is_no_wrong_answer(tmp_path: Path) -> None:
    async with set_up(tmp_path) as w:
        w.made.tiktok_faults.add("500-before", times=1000)
        done = await w.init()
        assert done.exit_code == 1
        assert "TikTok does not answer" in done.stderr
        assert files(w.folder) == {}


async def test_scopes_that_the_seller_did_not_grant_are_named(tmp_path: Path) -> None:
    async with set_up(tmp_path) as w:
        w.made.tiktok.grant("seller.authorization.info", "seller.product.basic")
        done = await w.init()
        assert done.exit_code == 2
        assert "did not grant seller.logistics" in done.stderr


async def test_scopes_that_the_app_lacks_are_named(tmp_path: Path) -> None:
    async with set_up(tmp_path) as w:
        w.made.shopify.scopes = ("read_locations", "read_products", "read_inventory")
        done = await w.init()
        assert done.exit_code == 2
        assert "lacks the scope write_inventory" in done.stderr
        assert "let the shop accept it" in done.stderr.partition("\nTry: ")[2]


async def test_several_shops_and_warehouses_need_a_choice_which_is_proposed(tmp_path: Path) -> None:
    async with set_up(tmp_path) as w:
        w.made.market.add_warehouse("Munich")
        w.made.tiktok.add_shop("GCP_2", "7000000000000000002", "Second Shop", w.made.market)
        done = await w.init()
        assert done.exit_code == 2
        assert "TikTok shop is not given" in done.stderr
        changed: dict[str, str | None] = {"--tiktok-shop": "Sandbox Shop"}
        done = await w.init(changed=changed | {"--locations": "Berlin, Hamburg"})
        assert done.exit_code == 2
        assert "Proposed: --map '1 2 = 1; 3 = 2'" in done.stderr
        mapped = changed | {"--locations": "Berlin, Hamburg", "--map": "1 2 = 1; 3 = 2"}
        done = await w.init(changed=mapped)
        assert done.exit_code == 0, done.output
        config = tomllib.loads(w.config.read_text())["tiktok"]
        assert config["shop_id"] == "7000000000000000001"
        rows = [row["locations"] for row in config["mapping"]]
        assert rows == [["Berlin", "Hamburg"], ["Munich"]]


async def test_a_second_set_up_keeps_a_copy_and_says_so(tmp_path: Path) -> None:
    async with set_up(tmp_path) as w:
        w.config.write_text("# mine\n")
        done = await w.init()
        assert done.exit_code == 0, done.output
        assert f"{w.config} exists: it will be replaced, and a copy of it kept" in done.stdout
        (copy,) = w.folder.glob("config.toml.*.bak")
        assert copy.read_text() == "# mine\n"
        assert str(copy) in done.stdout


async def test_what_must_be_put_right_first_ends_with_1(tmp_path: Path) -> None:
    async with set_up(tmp_path) as w:
        w.made.tiktok_faults.add("500-before", times=1000, match="products/search")
        done = await w.init()
        assert done.exit_code == 1
        assert "✗ TikTok listings" in done.stdout
        assert "Put right what is marked ✗" in done.stdout


async def test_an_answer_to_no_question_names_the_one_that_was_meant(tmp_path: Path) -> None:
    (tmp_path / "answers.toml").write_text('shopp = "acme"\n')
    done = CliRunner().invoke(group, ["init", "--answers", str(tmp_path / "answers.toml")])
    assert done.exit_code == 2
    assert "shopp answers no question\nTry: write shop" in done.stderr


@pytest.mark.parametrize("option", ["--shopify-endpoint", "--tiktok-endpoint"])
def test_a_secret_is_never_sent_to_another_machine_in_the_clear(option: str) -> None:
    done = CliRunner().invoke(group, ["init", option, "http://example.com"])
    assert done.exit_code == 2
    assert f"Error: {option} is plain http to another machine" in done.stderr


def test_the_example_is_printed_whole() -> None:
    done = CliRunner().invoke(group, ["init", "--example"])
    assert done.exit_code == 0
    assert tomllib.loads(done.stdout)["mirror"]["enabled"] is True
    assert "# Required, no default: mirroring overwrites" in done.stdout
