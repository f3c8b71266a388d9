"""Each rule that docs/guarantee.md numbers has its tests, and each mark of a test names such a rule."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MARK = "soundness"
# Chapters whose rules have no numbers yet, and why.
UNNUMBERED = {
    "1": "the levels are told by the tests of net/freshness.py and of the options",
}


def _guarantee() -> str:
    return (ROOT / "docs" / "guarantee.md").read_text()


def _rules() -> set[str]:
    return set(re.findall(r"^\| (\d\.\d) \|", _guarantee(), re.MULTILINE))


def _marks() -> dict[str, list[str]]:
    """The modules that are marked with each section, by a decorator, ``pytestmark`` or a parameter set."""
    found: dict[str, list[str]] = {}
    for path in sorted(ROOT.glob("tests/**/test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == MARK:
                for section in _sections(node):
                    found.setdefault(section, []).append(path.name)
    return found


def _sections(mark: ast.Call) -> list[str]:
    return [str(word.value) for word in mark.args if isinstance(word, ast.Constant)]


def test_every_rule_of_the_guarantee_has_a_test() -> None:
    assert sorted(_rules() - _marks().keys()) == []


def test_every_mark_names_a_rule_of_the_guarantee() -> None:
    assert sorted(_marks().keys() - _rules()) == []


def test_every_chapter_has_numbered_rules_or_a_reason_for_none() -> None:
    chapters = set(re.findall(r"^## (\d) ", _guarantee(), re.MULTILINE))
    assert chapters == {rule[0] for rule in _rules()} | UNNUMBERED.keys()
    assert not {rule[0] for rule in _rules()} & UNNUMBERED.keys()
