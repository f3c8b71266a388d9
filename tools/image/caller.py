"""The caller's own configuration of pip and npm, fit to enter a build: as secrets, and as read-only folders.

A company's index, its credentials and its certificate authority are needed while packages are installed, and
must be in no layer. What pip and npm read on this machine is put into one file for each; what lies on this
machine's disk (an index in a folder, a certificate) is named, so that the engine can show it to the build.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Where the Dockerfile mounts the authority.
AUTHORITY: Final = "/run/secrets/authority"
# Options of pip that say where packages come from; the others do not matter to a build with hashes.
_PIP: Final = (
    "index-url",
    "extra-index-url",
    "find-links",
    "no-index",
    "trusted-host",
    "proxy",
    "timeout",
    "retries",
)
_PLACES: Final = ("index-url", "extra-index-url", "find-links")
_SECTIONS: Final = ("global", "install", ":env:")
# npm's lines that name places on this machine, or change what a build makes.
_NPM_OWN: Final = re.compile(r"\s*(cafile|ca|cache|prefix|nodedir|globalconfig|userconfig|init-\S+)\s*=")
_VARIABLE: Final = re.compile(r"\$\{([^}]+)\}")
_AUTHORITIES: Final = ("NODE_EXTRA_CA_CERTS", "PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")


@dataclass(frozen=True, slots=True)
class Caller:
    """The text of pip's and npm's configuration, the authority's file, and the folders that pip reads."""

    pip: str
    npm: str
    authority: Path | None
    folders: tuple[Path, ...]

    def secrets(self, folder: Path) -> dict[str, Path]:
        """The files to hand over, written into ``folder``, by the id that the Dockerfile gives them."""
        found = {}
        for name, text in (("pip", self.pip), ("npm", self.npm)):
            path = folder / name
            path.touch(mode=0o600)
            path.write_text(text)
            found[name] = path
        return found if self.authority is None else {**found, "authority": self.authority}


def read_caller(environment: Mapping[str, str], *, with_folders: bool) -> Caller:
    """What holds for the user who runs this; places on this machine only ``with_folders``."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout
    options = pip_options(listed)
    authority = _authority(environment, options.pop("cert", None))
    pip: dict[str, str] = {name: options[name] for name in _PIP if name in options}
    if not with_folders:
        pip = elsewhere(pip)
    return Caller(
        pip_file(pip, authority is not None),
        npm_file(_npm_texts(environment), environment, authority is not None),
        authority,
        tuple(local_folders(pip)),
    )


def pip_options(listed: str) -> dict[str, str]:
    """What ``pip config list`` says for ``pip install``: [global], then [install], then the environment."""
    sections: dict[str, dict[str, str]] = {name: {} for name in _SECTIONS}
    for line in listed.splitlines():
        name, _, value = line.partition("=")
        section, _, option = name.partition(".")
        if section in sections:
            option = option.removeprefix("default-")
            sections[section][option] = " ".join(str(ast.literal_eval(value)).split())
    return {option: value for name in _SECTIONS for option, value in sections[name].items()}


def pip_file(options: Mapping[str, str], with_authority: bool) -> str:
    """A pip.conf with these options."""
    lines = [f"{name} = {value}" for name, value in options.items()]
    if with_authority:
        lines.append(f"cert = {AUTHORITY}")
    return "\n".join(["[global]", *lines, ""])


def local_folders(options: Mapping[str, str]) -> list[Path]:
    """The folders on this machine that these options name; an index links to files beside it."""
    found = []
    for option in _PLACES:
        for place in options.get(option, "").split():
            path = _local(place)
            if path is not None and path.is_dir():
                beside = option != "find-links" and path.parent != Path("/")
                found.append(path.parent if beside else path)
    return sorted(set(found))


def elsewhere(options: Mapping[str, str]) -> dict[str, str]:
    """The options without the places on this machine."""
    kept = {}
    for option, value in options.items():
        places = [place for place in value.split() if option not in _PLACES or _local(place) is None]
        if places:
            kept[option] = " ".join(places)
    return kept


def _local(place: str) -> Path | None:
    if place.startswith("file:"):
        return Path(unquote(urlsplit(place).path))
    return Path(place) if place.startswith("/") else None


def npm_file(texts: Iterable[str], environment: Mapping[str, str], with_authority: bool) -> str:
    """One .npmrc of several; variables are filled in, since the build does not have them."""
    lines = [line for text in texts for line in text.splitlines() if not _NPM_OWN.match(line)]
    filled = [_VARIABLE.sub(lambda found: environment.get(found[1], found[0]), line) for line in lines]
    registry = environment.get("npm_config_registry") or environment.get("NPM_CONFIG_REGISTRY")
    if registry:
        filled.append(f"registry={registry}")
    if with_authority:
        filled.append(f"cafile={AUTHORITY}")
    return "\n".join([*filled, ""])


def _npm_texts(environment: Mapping[str, str]) -> list[str]:
    """npm's files on this machine; the later ones win."""
    user = environment.get("NPM_CONFIG_USERCONFIG") or environment.get("npm_config_userconfig")
    files = (Path("/etc/npmrc"), Path("/usr/etc/npmrc"), Path(user) if user else Path.home() / ".npmrc")
    return [path.read_text() for path in files if path.is_file() and os.access(path, os.R_OK)]


def _authority(environment: Mapping[str, str], pip: str | None) -> Path | None:
    named = [pip, *(environment.get(name) for name in _AUTHORITIES)]
    return next((Path(name) for name in named if name and Path(name).is_file()), None)
