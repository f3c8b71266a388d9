"""The button: what its address puts into the control panel's form, and that the README shows it."""

from __future__ import annotations

import json
import re

import pytest

from deploy.button import Builder, badge, deploy_url
from deploy.catalogue import INSTANCES
from deploy.plan import load
from deploy.repository import PLACEHOLDER
from proxy import config
from tests.deploy.planted import ROOT
from tests.doubles import control_panel

PLAN = load(ROOT / "koyeb.yaml")


@pytest.fixture(params=["dockerfile", "buildpack"])
def form(request: pytest.FixtureRequest) -> control_panel.Form:
    """What the form holds for each builder."""
    builder: Builder = request.param
    return control_panel.read(deploy_url(PLAN, "ada/planets", builder=builder))


def test_the_form_holds_what_the_manifest_says(form: control_panel.Form) -> None:
    assert (form.app_name, form.name, form.service_type) == ("planets", "planets", "web")
    assert (form.source, form.repository, form.branch) == ("git", "ada/planets", "main")
    assert form.regions == ["was", "fra"]
    assert form.scale == (1, 1)
    assert form.ports == [(8000, "http", "/")]
    assert form.checks == {
        8000: {
            "protocol": "http",
            "path": "/health",
            "method": "get",
            "grace_period": "30",
            "interval": "30",
            "restart_limit": "3",
            "timeout": "5",
        }
    }


def test_the_instance_has_the_memory_that_app_and_proxy_need(form: control_panel.Form) -> None:
    assert form.instance == PLAN.instance_type
    assert INSTANCES[form.instance] >= 512


def test_the_database_is_left_to_the_user_and_every_setting_is_known(form: control_panel.Form) -> None:
    assert form.env == {"DATABASE_URL": "CHANGE_ME", "ORRERY_FRESHNESS": "ttl", "ORRERY_TTL_CAP": "60"}
    assert set(form.env) - {"DATABASE_URL"} <= set(config.variables())


def test_the_dockerfiles_default_target_is_built() -> None:
    form = control_panel.read(deploy_url(PLAN, "ada/planets", builder="dockerfile"))
    assert (form.builder, form.dockerfile, form.target) == ("dockerfile", "Dockerfile", "")


def test_the_schema_is_brought_in_before_what_the_image_runs_by_itself() -> None:
    form = control_panel.read(deploy_url(PLAN, "ada/planets", builder="dockerfile"))
    commands = re.findall(r"^CMD (\[.*\])$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert form.command == ["init", "--", *json.loads(commands[-1])]
    assert "prisma/init.py .venv/bin/init" in (ROOT / "Dockerfile").read_text()


def test_a_buildpack_gets_its_build_command_and_reads_procfile() -> None:
    form = control_panel.read(deploy_url(PLAN, "ada/planets", builder="buildpack"))
    assert (form.builder, form.build_command) == ("buildpack", "python -m deploy.buildpack")
    assert form.run_command == ""
    assert (ROOT / "Procfile").read_text().startswith("web: ")


def test_another_branch_may_be_deployed() -> None:
    assert control_panel.read(deploy_url(PLAN, "ada/planets", branch="a&b=c")).branch == "a&b=c"


def test_the_readme_shows_the_button_that_the_command_prints() -> None:
    assert badge(deploy_url(PLAN, PLACEHOLDER)) in (ROOT / "README.md").read_text()
