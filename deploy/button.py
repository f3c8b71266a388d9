"""The address behind the button "Deploy to Koyeb": one service, as the control panel's form reads it.

Source: Koyeb docs, "build-and-deploy/deploy-to-koyeb-button"; the control panel's parse-deploy-params.ts. One
button makes one service, so it is the bundled form: the proxy inside the app's own instance.
"""

from __future__ import annotations

from typing import Final, Literal
from urllib.parse import quote, urlencode

from deploy.plan import Plan

BASE: Final = "https://app.koyeb.com/deploy"
PICTURE: Final = "https://www.koyeb.com/static/images/deploy/button.svg"
# What the form shows in the field that the user has to fill in.
PLACEHOLDER: Final = "CHANGE_ME"
# Schema and planets at each start, then what the image runs by itself: the form has no step before a start.
COMMAND: Final = ("init", "--", "orrery", "run", "--", "python", "-m", "app")
# The run command stands in Procfile: the form's own field would not be expanded by a shell for certain.
BUILD_COMMAND: Final = "python -m deploy.buildpack"

Builder = Literal["dockerfile", "buildpack"]


def deploy_url(
    plan: Plan, repository: str, branch: str | None = None, builder: Builder = "dockerfile"
) -> str:
    """The address that opens the form for ``repository`` (ORG/REPO), filled in as the plan says."""
    pairs = [
        ("type", "git"),
        ("name", plan.app),
        ("app_name", plan.app),
        ("service_type", "web"),
        ("repository", repository),
        ("branch", branch or plan.branch),
        *_built(plan, builder),
        ("instance_type", plan.instance_type),
        *(("regions", region) for region in plan.regions),
        ("instances_min", str(plan.scale[0])),
        ("instances_max", str(plan.scale[1])),
        ("ports", f"{plan.port};{plan.protocol};{plan.path}"),
        *_checked(plan),
        ("env[DATABASE_URL]", PLACEHOLDER),
        *((f"env[{name}]", value) for name, value in plan.settings),
    ]
    return f"{BASE}?{urlencode(pairs, quote_via=quote, safe='')}"


def badge(url: str) -> str:
    """The button in Markdown."""
    return f"[![Deploy to Koyeb]({PICTURE})]({url})"


def _built(plan: Plan, builder: Builder) -> list[tuple[str, str]]:
    # The form reads the chosen builder's fields only. The Dockerfile's default target is the bundled form.
    if builder == "buildpack":
        return [("builder", builder), ("build_command", BUILD_COMMAND)]
    command, *arguments = COMMAND
    started = [("command", command), *(("args", argument) for argument in arguments)]
    return [("builder", builder), ("dockerfile", plan.dockerfile), *started]


def _checked(plan: Plan) -> list[tuple[str, str]]:
    check = plan.check
    fields = {
        "protocol": "http",
        "path": check.path,
        "method": check.method.lower(),
        "grace_period": str(check.grace_period),
        "interval": str(check.interval),
        "restart_limit": str(check.restart_limit),
        "timeout": str(check.timeout),
    }
    return [(f"hc_{name}[{plan.port}]", value) for name, value in fields.items()]
