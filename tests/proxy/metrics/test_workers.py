"""The figures of several workers are those of one proxy."""

from __future__ import annotations

import json

from proxy.metrics.catalogue import Freshness, MemoryFigures
from proxy.metrics.counters import Counters
from proxy.metrics.templates import Templates
from proxy.metrics.workers import WorkerFigures, summed


def a_worker(level: str, since: float, hits: int) -> WorkerFigures:
    counters = Counters()
    counters.hit += hits
    counters.hit_latency.observe(0.001, hits)
    counters.bypass("volatile")
    counters.audits.checked(0.5, fresh=hits > 1)
    counters.audits.skip("busy")
    memory = MemoryFigures(hits, 100 * hits, 1000, 1, {"feed": 1, f"of {hits}": hits})
    freshness: Freshness = {"level": level, "since_seconds": since, "why": level}
    return WorkerFigures(counters, memory, freshness, hits, 0)


def test_figures_survive_the_way_and_are_summed() -> None:
    told = [json.loads(json.dumps(a_worker("wire", 4.0, hits).told())) for hits in (1, 3)]
    every = summed([WorkerFigures.read(one) for one in told])
    assert every.counters.hit == 4
    assert every.counters.hit_latency.count == 4
    assert every.counters.hit_latency.quantile(0.5) > 0
    assert every.counters.bypass_reasons == {"volatile": 2}
    assert every.counters.audits.figures()["fresh_share"]["1"] == 0.5
    assert every.counters.audits.skipped == {"busy": 2}
    assert every.memory == MemoryFigures(4, 400, 2000, 2, {"feed": 2, "of 1": 1, "of 3": 3})


def test_the_level_is_the_lowest_and_has_held_since_the_last_one_reached_it() -> None:
    assert summed([a_worker("wire", 9.0, 1), a_worker("wire", 4.0, 1)]).freshness["since_seconds"] == 4.0
    low = summed([a_worker("wire", 9.0, 1), a_worker("ttl", 1.0, 1), a_worker("ttl", 2.0, 1)]).freshness
    assert (low["level"], low["since_seconds"]) == ("ttl", 2.0)


def test_one_alone_is_shown_as_it_is() -> None:
    alone = a_worker("wire", 1.0, 2)
    assert summed([alone]) is alone


def test_templates_of_several_workers_are_one_for_each_role() -> None:
    here, there = Templates(10), Templates(10)
    here.of("ann", "SELECT 1").hit(0.5)
    there.of("ann", "SELECT 1").fill(1.0, 3.0, 10)
    there.of("bob", "SELECT 1").bypass(1.0, "volatile")
    told = json.loads(json.dumps([one.told() for one in there.seen_by(None)]))
    merged = here.merged(told)
    assert [(one.role, one.calls) for one in merged] == [("ann", 2), ("bob", 1)]
    assert (merged[0].ttl, merged[0].bytes, merged[1].reason) == (3.0, 10, "volatile")
    assert here.seen_by(None)[0].calls == 1, "what is counted here stays as it was"
