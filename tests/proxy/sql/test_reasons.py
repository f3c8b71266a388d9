"""The table of reasons holds every word that the room uses, and no other room's test needs to know them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import proxy.sql
from proxy.sql.reasons import REASONS

_ROOM = Path(proxy.sql.__file__).parent
# Where a reason is written: calls, and the keyword or the place of the argument that holds it.
_DENIERS = {"deny": 0, "deny_unseen": 0, "Verdict": 0, "Statement": 1, "Choice": 0, "Parsed": 1}
_KEYWORDS = {"reason", "failure"}


def _calls() -> Iterator[ast.Call]:
    for path in _ROOM.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                yield node


def _words() -> Iterator[str]:
    for call in _calls():
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        place = _DENIERS.get(name, 99)
        written = [*call.args[place : place + 1], *(k.value for k in call.keywords if k.arg in _KEYWORDS)]
        for value in written:
            yield from (
                part.value
                for part in ast.walk(value)
                if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value
            )


def test_every_reason_that_the_room_writes_stands_in_the_table() -> None:
    words = set(_words()) - {"f", "m"}
    assert {"write", "date", "time", "unresolved", "size", "settings"} <= words
    assert words <= set(REASONS)


def test_each_reason_is_one_word_with_a_meaning_and_a_remedy() -> None:
    for word, (meaning, remedy) in REASONS.items():
        assert word.isalpha()
        assert word.islower()
        assert meaning.endswith(".")
        assert remedy
