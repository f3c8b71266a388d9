"""What Prometheus scrapes, read back by its own parser."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from proxy.admin.exposition import exposition
from proxy.metrics.catalogue import METRICS
from tests.proxy.admin.house import MadeUpHouse


def samples() -> dict[tuple[str, str], float]:
    found = {}
    for family in text_string_to_metric_families(exposition(MadeUpHouse()).decode()):
        for sample in family.samples:
            found[sample.name, ",".join(value for _, value in sorted(sample.labels.items()))] = sample.value
    return found


def test_figures_stand_under_their_names_and_labels() -> None:
    found = samples()
    assert found["orrery_outcomes_total", "hit"] == 3
    assert found["orrery_bypass_total", "volatile"] == 1
    assert found["orrery_invalidations_total", "purge"] == 4
    assert found["orrery_cache_entries", ""] == 2
    assert found["orrery_cache_evictions_total", ""] == 1


def test_the_auditors_shares_stand_under_their_ages_where_there_are_any() -> None:
    found = samples()
    assert found["orrery_audit_answers_total", "fresh"] == 1
    assert found["orrery_audit_fresh_share", "5"] == 1.0
    assert found["orrery_audit_checked_total", "1"] == 0
    assert ("orrery_audit_fresh_share", "1") not in found


def test_latencies_are_a_histogram_that_ends_with_its_count() -> None:
    found = samples()
    assert found["orrery_latency_seconds_count", "hit"] == 1
    assert found["orrery_latency_seconds_bucket", "+Inf,hit"] == 1
    assert found["orrery_latency_seconds_count", "origin"] == 0


def test_every_metric_of_the_table_is_exposed() -> None:
    text = exposition(MadeUpHouse()).decode()
    assert all(f"# HELP {metric.name} " in text for metric in METRICS)
