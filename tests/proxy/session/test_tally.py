"""session.tally: every batch ends in exactly one outcome, in the counters and in its template."""

from __future__ import annotations

import pytest

from proxy.cache.entry import Entry, Slot
from proxy.cache.fills import Ticket
from proxy.cache.ttl import Pace, TtlRule
from proxy.metrics.counters import Counters
from proxy.metrics.templates import Template
from proxy.session import tally
from proxy.session.batch import Batch
from proxy.session.exchange import Exchange
from proxy.sql.analysis import Extent, Reach, Statement

ENTRY = Entry(Ticket(Slot(1, (), Pace(TtlRule())), b"", 0, 10.0), b"payload", 15.0)
READS = Statement("select")
WRITES = Statement("update", reach=Reach(Extent.TABLES, frozenset((1,))))


def landed(*ran: Statement, failed: bool = False, refusal: str = "") -> Exchange:
    exchange = Exchange(Batch(), ran, 0.0)
    exchange.failed = failed
    exchange.refusal = refusal
    return exchange


@pytest.mark.parametrize(
    ("exchange", "entries", "outcome"),
    [
        (landed(READS), [ENTRY], ("fill", "")),
        (landed(READS, refusal="volatile"), [], ("bypass", "volatile")),
        (landed(READS), [], ("bypass", "moved")),
        (landed(READS, WRITES), [], ("write", "")),
        (landed(WRITES, failed=True), [], ("error", "")),
        (landed(READS, failed=True), [ENTRY], ("error", "")),
    ],
)
def test_outcome_and_reason(exchange: Exchange, entries: list[Entry], outcome: tuple[str, str]) -> None:
    assert tally.outcome(exchange, entries) == outcome


def test_each_outcome_has_its_counter() -> None:
    counters = Counters()
    for exchange, entries in (
        (landed(READS), [ENTRY]),
        (landed(WRITES), []),
        (landed(READS, failed=True), []),
        (landed(READS, refusal="rls"), []),
    ):
        tally.count(counters, None, exchange, entries, 0.1, expiring=True)
    assert (counters.fill, counters.write, counters.error, counters.bypasses) == (1, 1, 1, 1)


def test_the_template_learns_what_became_of_it() -> None:
    template = Template("alice", "SELECT $1")
    counters = Counters()
    tally.count(counters, template, landed(READS), [ENTRY], 0.1, expiring=True)
    assert (template.fills, template.ttl, template.bytes) == (1, 5.0, 7)
    tally.count(counters, template, landed(READS, refusal="rls"), [], 0.1, expiring=True)
    assert template.reason == "rls"
    tally.count(counters, template, landed(READS), [ENTRY], 0.1, expiring=False)
    assert template.ttl is None
