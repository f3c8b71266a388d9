"""plots: drawn from the figures, in the colours and letters of the page."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace

import pytest

from loadtest.report import plots
from loadtest.summary import Run
from tests.loadtest import runs

OF_THE_PROXY = (plots.hit_ratio, plots.first_hit, plots.invalidations, plots.origin_load)


def words(drawn: str) -> str:
    return " ".join(ET.fromstring(drawn).itertext())


def test_the_distribution_has_a_curve_for_each_way_and_protocol() -> None:
    said = words(plots.latencies(runs.direct(), runs.cached()))
    for curve in ("HTTP direct", "SQL direct", "HTTP through Orrery", "SQL through Orrery"):
        assert curve in said
    assert "milliseconds" in said


def test_a_way_that_was_not_measured_has_no_curve() -> None:
    assert "direct" not in words(plots.latencies(None, runs.cached()))


@pytest.mark.parametrize("draw", OF_THE_PROXY)
def test_every_plot_is_well_formed_and_has_its_axes_named(draw: Callable[[Run], str]) -> None:
    assert "seconds since the first request" in words(draw(runs.cached()))


@pytest.mark.parametrize("draw", OF_THE_PROXY)
def test_a_run_without_any_hit_or_write_can_be_drawn(draw: Callable[[Run], str]) -> None:
    cached = runs.cached()
    assert draw(replace(cached, looks=cached.looks[:2])).startswith("<svg")


def test_the_colours_are_the_pages() -> None:
    drawn = plots.latencies(runs.direct(), runs.cached())
    assert "var(--cached)" in drawn
    assert "var(--direct)" in drawn
    assert set(re.findall(r"(?:fill|stroke): (#\w+)", drawn)) <= {"#000000"}


def test_the_first_hit_is_marked_with_its_time() -> None:
    assert "first hit: 250 ms" in words(plots.first_hit(runs.cached()))


def test_a_long_run_is_drawn_by_as_many_points_as_an_eye_sees() -> None:
    once, short = runs.cached(), plots.latencies(None, runs.cached())
    long = replace(once, samples=[*once.samples] * 100)
    assert len(plots.latencies(None, long)) < 40 * len(short)
