"""page: complete in itself, honest about what was not measured, for light and dark."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

from loadtest.objectives import read_objectives
from loadtest.options import Deployment, Options
from loadtest.report.page import headline, page, tiles
from tests.loadtest import runs

OPTIONS = Options(objectives=read_objectives("hit_ratio>=0.9 speedup>=2"))


class Elements(HTMLParser):
    """Collects tags with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_the_page_loads_nothing() -> None:
    elements = Elements(page(runs.direct(), runs.cached(), OPTIONS)).found
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in elements}
    links = [
        value
        for _, given in elements
        for name, value in given.items()
        if name in ("src", "href", "xlink:href")
    ]
    assert links
    assert all(value and value.startswith("#") for value in links)


def test_each_plot_is_there_with_its_meaning() -> None:
    written = page(runs.direct(), runs.cached(), OPTIONS)
    assert written.count("<svg") == 5
    for title in (
        "How long answers took",
        "Hit ratio over time",
        "Time to the first hit",
        "Invalidations",
        "Load taken",
    ):
        assert re.search(rf"<h2>{title}.*?</h2>\s*<span class=\"soft\">\w.+</span>", written)


def test_the_page_tells_its_parameters_and_judges_the_objectives() -> None:
    written = page(runs.direct(), runs.cached(), OPTIONS)
    assert "1970-01-12 13:46 UTC" in written
    assert re.search(r"<td>one way to PostgreSQL</td>\s*<td>45 ms</td>", written)
    assert re.search(r'<td>hit_ratio&gt;=0.9</td><td>0.8911</td><td class="missed">NOT MET</td>', written)
    assert re.search(r'<td>speedup&gt;=2</td><td>2.8</td><td class="met">met</td>', written)


def test_the_headline_compares_the_medians() -> None:
    sentence = headline(runs.direct(), runs.cached(), OPTIONS)
    assert sentence == (
        "The median answer came 2.8 times faster, 45 ms away from PostgreSQL: 50.0 ms instead of 140.0 ms"
    )


def test_what_was_not_measured_is_left_out() -> None:
    options = Options(deployment=Deployment("https://planets.example/<b>"))
    alone = replace(runs.cached(), looks=(), transactions=None)
    written = page(None, alone, options)
    assert "https://planets.example/&lt;b&gt;" in written
    assert written.count("<svg") == 1
    assert "hit ratio" not in {tile.name for tile in tiles(None, alone)}
    assert headline(None, alone, options) == "The median answer took 50.0 ms"
