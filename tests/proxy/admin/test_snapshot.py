"""The typed view of the house."""

from __future__ import annotations

from proxy.admin.snapshot import House, query_row
from proxy.metrics.templates import Template
from tests.proxy.admin.house import MadeUpHouse


def test_a_row_shows_what_a_template_counted() -> None:
    template = Template("ann", "SELECT 1")
    template.fill(0.04, 2.5, 100)
    template.hit(0.001)
    row = query_row(template)
    assert (row["calls"], row["hits"], row["hit_ratio"], row["fills"]) == (2, 1, 0.5, 1)
    assert (row["ttl_ms"], row["bytes"], row["reason"]) == (2500, 100, None)
    assert (row["mean_hit_ms"], row["mean_origin_ms"], row["saved_ms"]) == (1.0, 40.0, 39.0)


def test_a_bypassed_template_says_why() -> None:
    template = Template("ann", "SELECT now()")
    template.bypass(0.04, "volatile")
    assert query_row(template)["reason"] == "volatile"
    assert query_row(template)["ttl_ms"] is None


def test_the_made_up_house_is_a_house() -> None:
    house: House = MadeUpHouse()
    assert house.ready()
