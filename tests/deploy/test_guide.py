"""The guides say what the code does: names, numbers and commands of docs/deploy-koyeb.md and docs/neon.md."""

from __future__ import annotations

import re
import shlex
from typing import Final

import pytest

from deploy.button import BUILD_COMMAND
from deploy.document import read
from deploy.plan import load
from deploy.rules.environment import secrets
from proxy import config
from proxy.cli import main
from proxy.net import freshness
from proxy.origin_url import DEFAULT_CONNECT_SECONDS
from tests.deploy.planted import MANIFEST, ROOT

KOYEB = (ROOT / "docs" / "deploy-koyeb.md").read_text()
NEON = (ROOT / "docs" / "neon.md").read_text()
PLAN = load(ROOT / "koyeb.yaml")
# Source: koyeb-cli, docs/reference.md (v5.10, 2026-04): of each command what the guide uses.
CLI: Final = {
    "apps init": {
        *(
            "--git",
            "--git-branch",
            "--git-builder",
            "--git-docker-dockerfile",
            "--regions",
            "--instance-type",
        ),
        *("--min-scale", "--max-scale", "--ports", "--routes", "--checks", "--checks-grace-period", "--env"),
        "--wait",
    },
    "apps delete": set(),
    "secrets create": {"--value-from-stdin"},
    "secrets delete": set(),
    "compose koyeb.yaml": set(),
    "services describe": set(),
    "services logs": set(),
    "services exec": set(),
}


def commands(program: str) -> list[list[str]]:
    """Every call of ``program`` in the blocks of both guides, its words after the program's name."""
    blocks = "\n".join(re.findall(r"^```\w*\n(.*?)^```$", KOYEB + NEON, re.MULTILINE | re.DOTALL))
    lines = blocks.replace("\\\n", " ").splitlines()
    calls = [call.strip() for line in lines for call in line.split("|")]
    return [shlex.split(call)[1:] for call in calls if re.match(rf"(\S*/)?{program} ", call)]


def options(call: list[str], name: str) -> list[str]:
    return [call[index + 1] for index, word in enumerate(call) if word == name]


def test_every_command_of_the_cli_exists_there_with_its_options() -> None:
    calls = commands("koyeb")
    assert {" ".join(call[:2]) for call in calls} == set(CLI)
    for call in calls:
        ours = call.index("--") if "--" in call else len(call)
        used = {word for word in call[:ours] if word.startswith("--")}
        assert used <= CLI[" ".join(call[:2])], call


def test_the_command_line_makes_what_the_manifest_says() -> None:
    (call,) = (call for call in commands("koyeb") if call[:2] == ["apps", "init"])
    assert call[2] == PLAN.app
    assert tuple(options(call, "--regions")) == PLAN.regions
    assert options(call, "--instance-type") == [PLAN.instance_type]
    assert options(call, "--ports") == [f"{PLAN.port}:{PLAN.protocol}"]
    assert options(call, "--routes") == [f"{PLAN.path}:{PLAN.port}"]
    assert options(call, "--checks") == [f"{PLAN.port}:http:{PLAN.check.path}"]
    assert options(call, "--checks-grace-period") == [f"{PLAN.port}={PLAN.check.grace_period}"]
    assert f"ORRERY_FRESHNESS={dict(PLAN.settings)['ORRERY_FRESHNESS']}" in options(call, "--env")


def test_the_secrets_that_are_made_are_those_that_are_named_and_all_are_deleted() -> None:
    made = {call[2] for call in commands("koyeb") if call[:2] == ["secrets", "create"]}
    deleted = {call[2] for call in commands("koyeb") if call[:2] == ["secrets", "delete"]}
    assert made == deleted == set(secrets(read(MANIFEST).root))
    assert ["apps", "delete", PLAN.app] in commands("koyeb")


def test_every_command_of_ours_exists(capsys: pytest.CaptureFixture[str]) -> None:
    calls = [call[:2] if call[0] == "koyeb" else call[:1] for call in commands("orrery")]
    calls += [
        [words[0]] for call in commands("koyeb") if "--" in call and (words := call[call.index("--") + 1 :])
    ]
    assert ["koyeb", "url"] in calls
    for call in calls:
        assert main([*call, "--help"]) == 0, call
    capsys.readouterr()


def test_the_guide_names_the_caches_address_and_the_build_command() -> None:
    assert f"`{PLAN.cache_host}:{PLAN.cache_port}`" in KOYEB
    assert f"`{BUILD_COMMAND}`" in KOYEB


def test_the_numbers_are_those_of_the_code() -> None:
    settings = config.Settings.model_fields
    both = re.sub(r"\s+", " ", KOYEB + NEON)
    for sentence in (
        f"once no client has sent a statement for {freshness.QUIET_SECONDS:g} seconds",
        f"was heard of within {freshness.LEASE_SECONDS:g} seconds",
        f"up to `connect_timeout` of the URL, {DEFAULT_CONNECT_SECONDS:g} seconds",
        f"`--ttl-cap` ({settings['ttl_cap'].default:g} seconds)",
        f"DDL within `--catalogue-seconds` ({settings['catalogue_seconds'].default:g})",
        f"`--login-seconds` ({settings['login_seconds'].default:g})",
        f"between {settings['ttl_floor'].default:g} second and that cap",
        f"`ORRERY_TTL_CAP` says at most: {dict(PLAN.settings)['ORRERY_TTL_CAP']} seconds",
    ):
        assert sentence in both, sentence


def test_every_link_leads_somewhere() -> None:
    for text in (KOYEB, NEON):
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
            assert (ROOT / "docs" / target).exists(), target
