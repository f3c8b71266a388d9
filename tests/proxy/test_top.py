"""The terminal view, printed to a string."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from proxy.top import view
from tests.proxy.admin.house import MadeUpHouse


def printed(house: MadeUpHouse) -> str:
    paper = StringIO()
    console = Console(file=paper, width=160)
    console.print(view(house.stats(), house.queries()))
    return paper.getvalue()


def test_it_shows_level_outcomes_memory_and_statements() -> None:
    text = printed(MadeUpHouse())
    assert "freshness ttl for 12 s (writers unknown)" in text
    assert "hit 3" in text
    assert "of reads 75.0%" in text
    assert "volatile 1" in text
    assert "SELECT name FROM planet WHERE id = $1" in text


def test_a_statement_with_brackets_is_no_markup() -> None:
    house = MadeUpHouse()
    house.templates.of("ann", "SELECT a[1]\n  FROM [bold]").hit(0.1)
    assert "SELECT a[1] FROM [bold]" in printed(house)
