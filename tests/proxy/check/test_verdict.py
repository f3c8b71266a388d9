"""From facts to findings, without a server."""

from __future__ import annotations

from dataclasses import replace

from proxy.check.findings import Finding
from proxy.check.questions import Facts
from proxy.check.verdict import judge

PLAIN = Facts(
    version="16.4",
    version_number=160004,
    in_recovery=False,
    user_name="ann",
    superuser=True,
    reads_secrets=True,
    sees_backends=True,
    round_trip_ms=0.3,
    login_pid=7,
    pids=frozenset({7}),
    is_pgpool=False,
    subscriptions=0,
    extensions=frozenset({"plpgsql"}),
    foreign_servers=0,
    others=(),
    workers=(),
)


def findings(facts: Facts, name: str) -> list[Finding]:
    return [finding for finding in judge(facts)[0] if finding.name == name]


def test_a_plain_primary_has_only_good_findings() -> None:
    found, freshness = judge(PLAIN)
    assert {finding.verdict for finding in found} == {"good"}
    assert freshness.level == "ttl"
    assert "--freshness wire raises it" in freshness.raise_by


def test_a_replica_is_named_and_stays_at_ttl() -> None:
    facts = replace(PLAIN, in_recovery=True)
    assert findings(facts, "role of the server")[0].verdict == "note"
    assert "primary" in judge(facts)[1].raise_by


def test_poolers_are_found_by_their_process_ids() -> None:
    for facts, word in (
        (replace(PLAIN, pids=frozenset({7, 8})), "transaction mode"),
        (replace(PLAIN, pids=frozenset({8})), "process id"),
        (replace(PLAIN, is_pgpool=True), "pgpool-II"),
    ):
        (finding,) = findings(facts, "pooler")
        assert finding.verdict == "note"
        assert word in finding.sentence
        assert "direct address" in judge(facts)[1].raise_by


def test_an_origin_before_13_cannot_work_and_an_untested_one_is_noted() -> None:
    assert findings(replace(PLAIN, version_number=120020), "server")[0].verdict == "bad"
    assert findings(replace(PLAIN, version_number=140001), "server")[0].verdict == "note"
    assert findings(replace(PLAIN, version_number=180004), "server")[0].verdict == "good"


def test_what_the_role_may_not_do_comes_with_a_remedy() -> None:
    weak = replace(PLAIN, reads_secrets=False, sees_backends=False)
    assert "--users" in findings(weak, "logins")[0].sentence
    assert "GRANT pg_monitor" in findings(weak, "activity")[0].sentence


def test_every_writer_past_the_proxy_is_named() -> None:
    busy = replace(
        PLAIN,
        subscriptions=2,
        extensions=frozenset({"pg_cron", "dblink", "plpgsql"}),
        foreign_servers=1,
        others=("psql of bob",),
        workers=("myworker",),
    )
    told = " ".join(finding.sentence for finding in findings(busy, "writers"))
    for word in ("2 subscription", "pg_cron", "dblink", "1 foreign server", "psql of bob", "myworker"):
        assert word in told
    assert "named above" in judge(busy)[1].raise_by


def test_what_cannot_be_seen_counts_as_there() -> None:
    assert findings(replace(PLAIN, subscriptions=None), "writers")
