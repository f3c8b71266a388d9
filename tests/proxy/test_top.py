"""The terminal view, printed to a string."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from proxy.top import view
from tests.proxy.admin.house import MadeUpHouse


def printed(house: MadeUpHouse, width: int = 160) -> str:
    paper = StringIO()
    console = Console(file=paper, width=width)
    console.print(view(house.stats(), house.queries()))
    return paper.getvalue()


def test_it_shows_level_outcomes_memory_and_statements() -> None:
    text = printed(MadeUpHouse())
    assert "freshness ttl for 12 s (writers unknown)" in text
    assert "hit 3" in text
    assert "of reads 75.0%" in text
    assert "volatile 1" in text
    assert "within 1 s -   within 5 s 100.00 %" in text
    assert "SELECT name FROM planet WHERE id = $1" in text


def test_a_statement_with_brackets_is_no_markup() -> None:
    house = MadeUpHouse()
    house.templates.of("ann", "SELECT a[1]\n  FROM [bold]").hit(0.1)
    assert "SELECT a[1] FROM [bold]" in printed(house)


def test_on_a_narrow_terminal_the_statement_is_cut_and_no_figure_is() -> None:
    house = MadeUpHouse()
    house.templates.of("ann", "SELECT " + "x, " * 100 + "y FROM planet").bypass(0.04, "volatile")
    text = printed(house, 80)
    assert "ms origin" in text
    assert "40.00" in text
    assert "…" in text
