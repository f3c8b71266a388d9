"""Reads the address of a "Deploy to Koyeb" button as the control panel does: what its form would hold.

Written after github.com/koyeb/control-panel, src/modules/service-form/helpers/parse-deploy-params.ts and
initialize-service-form.ts (2026-06-30). Like there, what is unknown or malformed is dropped without a word:
so a test must compare what came out, not only that something did.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from deploy.catalogue import INSTANCES, REGIONS

METHODS = ("get", "head", "post", "put", "delete", "connect", "options", "trace")
_CHECK = re.compile(r"hc_(protocol|grace_period|interval|restart_limit|timeout|path|method)\[([0-9]+)\]")


@dataclass
class Form:
    """The fields of the form that a button can fill in."""

    name: str = ""
    app_name: str = ""
    service_type: str = "web"
    source: str = "git"
    repository: str = ""
    branch: str = ""
    builder: str = "buildpack"
    build_command: str = ""
    run_command: str = ""
    dockerfile: str = ""
    target: str = ""
    command: list[str] = field(default_factory=list)
    instance: str = "nano"
    regions: list[str] = field(default_factory=lambda: ["fra"])
    scale: tuple[int, int] = (1, 1)
    ports: list[tuple[int, str, str]] = field(default_factory=list)
    checks: dict[int, dict[str, str]] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)


def read(url: str) -> Form:
    """The form behind an address."""
    address = urlsplit(url)
    assert (address.scheme, address.netloc, address.path) == ("https", "app.koyeb.com", "/deploy")
    pairs = parse_qsl(address.query, keep_blank_values=True, strict_parsing=True)
    first = dict(reversed(pairs))  # as URLSearchParams.get: the first of equal names
    form = Form(name=first.get("name", ""), app_name=first.get("app_name", ""))
    if first.get("service_type") in ("web", "worker"):
        form.service_type = first["service_type"]
    if first.get("type") == "git":
        _read_git(form, first)
        if form.builder == "dockerfile":
            arguments = [value for name, value in pairs if name == "args"]
            form.command = [word for word in (first.get("command"), *arguments) if word]
    if first.get("instance_type") in INSTANCES:
        form.instance = first["instance_type"]
    regions = [value for name, value in pairs if name == "regions" and value in REGIONS]
    form.regions = list(dict.fromkeys(regions)) or form.regions
    form.scale = (_number(first, "instances_min", 0), _number(first, "instances_max", 1))
    form.ports = [port for name, value in pairs if name == "ports" and (port := _port(value))]
    _read_checks(form, pairs)
    for name, value in pairs:
        if match := re.search(r"env\[([a-zA-Z0-9_]+)\]", name):
            form.env.setdefault(match[1], value)
    return form


def _read_git(form: Form, first: dict[str, str]) -> None:
    form.repository = re.sub(r"^(https?://)?github.com/", "", first.get("repository", ""))
    form.branch = first.get("branch", "")
    if first.get("builder") in ("buildpack", "dockerfile"):
        form.builder = first["builder"]
    # Only the fields of the chosen builder are looked at.
    if form.builder == "buildpack":
        form.build_command = first.get("build_command", "")
        form.run_command = first.get("run_command", "")
    else:
        form.dockerfile = first.get("dockerfile", "")
        form.target = first.get("target", "")


def _read_checks(form: Form, pairs: list[tuple[str, str]]) -> None:
    for name, value in pairs:
        match = _CHECK.search(name)
        if match is None:
            continue
        what, text = match[1], value.lower() if match[1] == "method" else value
        kept = {"protocol": text in ("tcp", "http"), "path": True, "method": text in METHODS}
        if kept.get(what, text.isdecimal()):
            form.checks.setdefault(int(match[2]), {})[what] = text


def _port(text: str) -> tuple[int, str, str] | None:
    if match := re.search(r"(\d+);(http|http2);(.+)", text):
        return int(match[1]), match[2], match[3]
    match = re.search(r"(\d+);tcp", text)
    return (int(match[1]), "tcp", "") if match else None


def _number(first: dict[str, str], name: str, least: int) -> int:
    text = first.get(name, "1")
    return int(text) if text.isdecimal() and least <= int(text) <= 20 else 1
