"""arguments: what is ours stands in the paper, as Locust's own help does not list it."""

from __future__ import annotations

import re

from tools.stage.children import ROOT


def test_every_argument_is_explained() -> None:
    code = (ROOT / "loadtest" / "users" / "arguments.py").read_text()
    paper = (ROOT / "loadtest" / "README.md").read_text()
    environment = re.findall(r'"(LOADTEST_\w+)"', code)
    given = set(re.findall(r'add\(\s*"(--[\w-]+)"', code))
    assert len(environment) == 3
    assert given == {"--seed", "--edits-per-second", "--editors", "--generators", "--samples"}
    explained = "\n".join(re.findall(r"^\| (`.+?) \|", paper, re.MULTILINE))
    assert all(name in explained for name in {*environment, *given})
