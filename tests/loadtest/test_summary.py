"""summary: percentiles of what succeeded, ratios of what was counted in between."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from loadtest.objectives import read_objectives
from loadtest.options import Deployment, Options
from loadtest.samples import Sample
from loadtest.summary import Figures, figures, first_hit_ms, hit_ratios, invalidation_times, judged, summary
from tests.loadtest import runs


def test_the_percentiles_are_of_what_succeeded() -> None:
    samples = [Sample(0.0, "GET", "/", float(n), "") for n in range(1, 101)]
    assert figures([*samples, Sample(0.0, "GET", "/", 9_999.0, "refused")]) == Figures(101, 1, 50, 95, 99)


def test_without_any_success_there_is_no_percentile() -> None:
    assert figures([Sample(0.0, "GET", "/", 1.0, "refused")]) == Figures(1, 1, None, None, None)


def test_the_first_hit_is_counted_from_the_first_request() -> None:
    assert first_hit_ms(runs.cached()) == pytest.approx(250.0)


def test_without_a_hit_there_is_no_first_one() -> None:
    cached = runs.cached()
    assert first_hit_ms(replace(cached, looks=cached.looks[:2])) is None


def test_the_hit_ratio_over_time_is_of_what_was_asked_in_the_window() -> None:
    looks = [
        runs.look(0.0),
        runs.look(1.0, fill=4),
        runs.look(2.0, fill=4, hit=4),
        runs.look(4.0, fill=4, hit=8),
    ]
    begin = runs.BEGAN
    assert hit_ratios(looks, window_seconds=2.0) == [(begin + 1, 0.0), (begin + 2, 0.5), (begin + 4, 1.0)]


def test_a_moment_in_which_nothing_was_asked_has_no_hit_ratio() -> None:
    assert hit_ratios([runs.look(0.0), runs.look(1.0)]) == []


def test_invalidations_are_told_when_they_were_seen() -> None:
    assert invalidation_times(runs.cached().looks) == [(runs.BEGAN + 50, 1)]


def test_what_is_judged_is_of_the_api_and_failures_are_everybodys() -> None:
    known = judged(runs.direct(), runs.cached(failure="stale"))
    assert known["requests"] == 100
    assert known["failures"] == 1
    assert known["hit_ratio"] == pytest.approx(90 / 101)
    assert known["origin_saved"] == pytest.approx(91 / 101)
    assert known["speedup"] == pytest.approx(140 / 50)


def test_without_the_other_way_and_the_proxys_figures_nothing_is_made_up() -> None:
    known = judged(None, replace(runs.cached(), looks=()))
    assert [known[name] for name in ("speedup", "hit_ratio", "origin_saved", "time_to_first_hit_ms")] == [
        None
    ] * 4


def test_the_summary_has_the_shape_that_pipelines_rely_on() -> None:
    options = Options(objectives=read_objectives("hit_ratio>=0.9 p50_ms<=60"))
    told = json.loads(json.dumps(summary(runs.direct(), runs.cached(), options)))
    five = {"requests", "failures", "p50_ms", "p95_ms", "p99_ms"}
    assert set(told["direct"]) == five
    assert set(told["cached"]) == five | {"hit_ratio", "time_to_first_hit_ms"}
    assert told["cached"]["time_to_first_hit_ms"] == 250
    assert told["objectives"] == [
        {"name": "failures<=0", "met": True},
        {"name": "hit_ratio>=0.9", "met": False},
        {"name": "p50_ms<=60", "met": True},
    ]
    assert told["origin"]["transactions"] == {"direct": 111, "cached": 22}


def test_a_deployment_without_more_has_a_summary_too() -> None:
    options = Options(deployment=Deployment("https://planets.example"))
    told = summary(None, replace(runs.cached(), looks=()), options)
    assert told["direct"] is None
    assert told["proxy"] is None
