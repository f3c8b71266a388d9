"""One table of reasons: whatever word the code gives for a bypass stands in it, and in the docs."""

from __future__ import annotations

import ast
from pathlib import Path

from proxy.sql.reasons import REASONS

ROOT = Path(__file__).parent.parent
# Where a word for a bypass is given, outside of the sql room (which has a test of its own).
GIVERS = ("outlook", "recording", "session", "state", "tally", "transaction", "uplink")
_NO_REASONS = frozenset({"error"})  # spoils a recording; the request itself ends as an error


def _given(module: str) -> set[str]:
    """The words that functions about refusals return, assign to ``refusal`` or spoil a recording with."""
    tree = ast.parse((ROOT / "proxy" / "session" / f"{module}.py").read_text())
    words: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and ("refusal" in node.name or "reason" in node.name):
            words |= {c for r in ast.walk(node) if isinstance(r, ast.Return) for c in _strings(r)}
        elif isinstance(node, ast.Assign) and any("refusal" in ast.unparse(t) for t in node.targets):
            words |= _strings(node.value)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("spoil"):
            words |= {c for a in node.args for c in _strings(a)}
    return words


def _strings(node: ast.AST) -> set[str]:
    found = {n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    return {word for word in found if word.isalpha()}


def test_the_session_gives_no_reason_that_the_table_does_not_explain() -> None:
    given = {word for module in GIVERS for word in _given(module)} - _NO_REASONS
    assert {"off", "pipeline", "transaction", "suspended", "size"} <= given
    assert sorted(given - REASONS.keys()) == []


def test_the_operators_page_explains_every_reason_and_no_other() -> None:
    rows = [row.split("|") for row in (ROOT / "docs" / "reasons.md").read_text().splitlines()]
    page = {cells[1].strip(" `"): (cells[2].strip(), cells[3].strip()) for cells in rows if len(cells) == 5}
    del page["reason"], page["---"]
    assert page == {word: (reason.meaning, reason.remedy) for word, reason in REASONS.items()}
