"""catalogue: one table covers every figure, in each shape it is told in."""

from __future__ import annotations

import json

import pytest

from proxy.metrics.catalogue import METRICS, Identity, MemoryFigures, Stats, flat, stats
from proxy.metrics.counters import Counters

TOLD_AS_TEXT = {"version", "instance", "freshness"}


@pytest.fixture
def figures() -> Stats:
    counters = Counters()
    counters.hit, counters.fill = 8, 2
    counters.bypass("volatile")
    counters.client_opened()
    counters.proven_unchanged, counters.not_proven = 2, 1
    counters.blocks_withdrawn, counters.blocks_opened = 3, 1
    counters.pinned("temporary")
    counters.hit_latency.observe(0.001)
    counters.audits.checked(2.0, fresh=True)
    counters.audits.skip("busy")
    identity = Identity("1.0", "a", {"level": "ttl", "since_seconds": 12.5, "why": "told nothing else"})
    memory = MemoryFigures(2, 900, 1000, 1, {"own_write": 1, "feed": 0, "purge": 0, "ddl": 0})
    return stats(identity, counters, memory)


def test_stats_has_the_shape_that_others_build_on(figures: Stats) -> None:
    told = json.loads(json.dumps(figures))
    latency = told.pop("latency_ms")
    assert told == {
        "version": "1.0",
        "instance": "a",
        "freshness": {"level": "ttl", "since_seconds": 12.5, "why": "told nothing else"},
        "outcomes": {"hit": 8, "fill": 2, "coalesced": 0, "bypass": 1, "write": 0, "error": 0},
        "bypass": {"volatile": 1},
        "invalidations": {"own_write": 1, "feed": 0, "purge": 0, "ddl": 0},
        "proofs": {"unchanged": 2, "changed": 1},
        "blocks": {"withdrawn": 3, "opened": 1},
        "cache": {"entries": 2, "bytes": 900, "limit_bytes": 1000, "evictions": 1},
        "clients": {"open": 1, "peak": 1},
        "origin": {"open": 0, "busy": 0, "waiting": 0},
        "pinned": {"temporary": 1},
        "audit": {
            "answers": {"fresh": 1, "different": 0, "excused": 0},
            "skipped": {"busy": 1},
            "checked_within": {"0.1": 0, "1": 0, "5": 1, "60": 1},
            "fresh_within": {"0.1": 0, "1": 0, "5": 1, "60": 1},
            "fresh_share": {"0.1": None, "1": None, "5": 1.0, "60": 1.0},
        },
    }
    assert latency["hit"]["p50"] == pytest.approx(1.0, rel=0.25)
    assert latency["origin"] == {"p50": 0.0, "p99": 0.0}


def test_flat_rows_name_section_and_key(figures: Stats) -> None:
    rows = dict(flat(figures))
    assert (rows["outcomes.hit"], rows["bypass.volatile"], rows["cache.bytes"]) == (8, 1, 900)
    assert (rows["audit.answers.fresh"], rows["audit.skipped.busy"], rows["audit.fresh_within.5"]) == (
        1,
        1,
        1,
    )
    assert rows["latency_us.hit.p50"] == pytest.approx(1000, rel=0.25)
    assert all(isinstance(value, int) for value in rows.values())


def test_the_table_covers_every_figure_and_nothing_else(figures: Stats) -> None:
    told = json.loads(json.dumps(figures))
    named = {(metric.section, metric.key) for metric in METRICS}
    expected: set[tuple[str, str]] = set()
    labelled = {metric.section for metric in METRICS if metric.label}
    for section, values in told.items():
        if section in TOLD_AS_TEXT:
            continue
        if section == "audit":
            expected |= {(f"{section}.{part}", "") for part in values}
        else:
            expected |= {(section, "")} if section in labelled else {(section, key) for key in values}
    assert named == expected


def test_names_say_their_kind_and_are_told_once() -> None:
    names = [metric.name for metric in METRICS]
    assert len(names) == len(set(names))
    for metric in METRICS:
        assert metric.name.startswith("orrery_")
        assert metric.name.endswith("_total") == (metric.kind == "counter")
        assert metric.help.endswith(".")
        assert metric.unit
