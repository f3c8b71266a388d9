"""Scripts are what their seed makes of them."""

from __future__ import annotations

from random import Random

import pytest

from tests.differential.grammar import Grammar
from tests.differential.messages import transcript
from tests.differential.phrases import EXPRESSIONS, STATEMENTS
from tests.differential.script import CLIENTS, Script

PLACES = ("source", "key", "column", "items", "group", "aggregates", "windows", "limit", "grouping")


def test_one_seed_is_one_script() -> None:
    assert Script("7/0").steps(300) == Script("7/0").steps(300)
    assert Script("7/0").steps(300) != Script("7/1").steps(300)


def test_both_clients_speak_in_both_protocols() -> None:
    told = [line for step in Script("7/0").steps(300) for line in transcript(step)]
    for client in range(CLIENTS):
        for message in ("Query", "Parse"):
            assert any(line.startswith(f"client {client}: {message} ") for line in told)


@pytest.mark.parametrize("section", [*STATEMENTS, *EXPRESSIONS])
def test_every_template_can_be_filled(section: str) -> None:
    grammar = Grammar(Random(1), {}, [])
    grammar.places.update(dict.fromkeys(PLACES, lambda: "x"))
    for template in (STATEMENTS | EXPRESSIONS)[section]:
        assert "{int" not in grammar.fill(template)
