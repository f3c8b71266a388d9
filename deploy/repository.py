"""Which GitHub repository is deployed: the one that was named, else the one that this checkout came from."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Final

from proxy.errors import ConfigurationError

PLACEHOLDER: Final = "ORG/REPO"

_NAME: Final = re.compile(r"(?:https?://)?(?:github\.com/)?([\w.-]+/[\w.-]+?)(?:\.git)?/?")
# https://github.com/ORG/REPO.git, git@github.com:ORG/REPO.git, ssh://git@github.com/ORG/REPO
_REMOTE: Final = re.compile(r"(?:\w+://)?(?:[^@/]+@)?github\.com[:/]([\w.-]+/[\w.-]+?)(?:\.git)?/?")
_GIT_SECONDS: Final = 10.0


def named(text: str) -> str:
    """``ORG/REPO`` of what the user gave: with github.com before it, or not. ConfigurationError: neither."""
    match = _NAME.fullmatch(text)
    if match is None:
        raise ConfigurationError("--repository: ORG/REPO or github.com/ORG/REPO is expected")
    return match[1]


def of_checkout(folder: Path) -> str | None:
    """``ORG/REPO`` of the remote ``origin``; None without git, without that remote, or outside GitHub."""
    command = ["git", "-C", str(folder), "remote", "get-url", "origin"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=_GIT_SECONDS)
    except (OSError, subprocess.SubprocessError):
        return None
    match = _REMOTE.fullmatch(told.stdout.strip())
    return match[1] if match else None
