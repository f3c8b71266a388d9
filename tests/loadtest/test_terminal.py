"""terminal: the table, the judgement, and what speaks against the figures."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from loadtest.objectives import read_objectives
from loadtest.options import Options
from loadtest.terminal import milliseconds, show, warnings
from tests.loadtest import runs


def shown(objectives: str) -> str:
    output = io.StringIO()
    options = Options(objectives=read_objectives(objectives))
    show(Console(file=output, width=100), runs.direct(), runs.cached(), options)
    return output.getvalue()


def test_both_ways_stand_side_by_side() -> None:
    lines = {tuple(line.split()) for line in shown("").splitlines()}
    assert ("HTTP", "p50", "140.0", "ms", "50.0", "ms") in lines
    assert ("SQL", "p50", "90.0", "ms", "0.50", "ms") in lines
    assert ("hit", "ratio", "-", "89.1%") in lines
    assert ("median", "faster", "-", "2.8", "times") in lines


def test_each_objective_is_judged_with_what_was_measured() -> None:
    said = shown("hit_ratio>=0.9 speedup>=2")
    assert "NOT MET  hit_ratio>=0.9  (0.8911)" in said
    assert "met      speedup>=2  (2.8)" in said


def test_a_machine_that_was_too_busy_is_told() -> None:
    assert not warnings(runs.direct(), runs.cached())
    (sentence,) = warnings(None, replace(runs.cached(), busy_percent=97.0))
    assert sentence.startswith("This machine was 97 % busy during the cached run")


@pytest.mark.parametrize(("value", "text"), [(None, "-"), (0.534, "0.53 ms"), (95.26, "95.3 ms")])
def test_short_durations_have_more_digits(value: float | None, text: str) -> None:
    assert milliseconds(value) == text
