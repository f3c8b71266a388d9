"""session.last: outcome, reason and ages of a session's previous statement."""

from __future__ import annotations

import math

import pytest

from proxy.cache.entry import Entry, Slot
from proxy.cache.fills import Ticket
from proxy.cache.ttl import Pace, TtlRule
from proxy.session.last import Last


def entry(born: float, expires: float) -> Entry:
    return Entry(Ticket(Slot(1, (), Pace(TtlRule())), b"", 0, born), b"payload", expires)


def test_before_the_first_statement_there_is_nothing_to_tell() -> None:
    last = Last()
    assert (last.outcome, last.reason, last.age_ms(), last.ttl_ms(expiring=True)) == ("", "", None, None)


def test_a_hit_tells_the_age_that_the_answer_had_when_it_was_given() -> None:
    last = Last()
    last.hit(entry(10.0, 20.0), 12.5)
    assert (last.outcome, last.reason) == ("hit", "")
    assert (last.age_ms(), last.ttl_ms(expiring=True)) == (2500, 7500)


@pytest.mark.parametrize(("expires", "expiring"), [(20.0, False), (math.inf, True)])
def test_no_expiry_is_told_as_none(expires: float, expiring: bool) -> None:
    last = Last()
    last.hit(entry(10.0, expires), 12.5)
    assert last.ttl_ms(expiring=expiring) is None


def test_a_fill_has_a_time_to_live_and_no_age() -> None:
    last = Last()
    last.landed("fill", "", entry(10.0, 20.0), 11.0)
    assert (last.age_ms(), last.ttl_ms(expiring=True)) == (None, 9000)


def test_a_bypass_has_a_reason_and_forgets_the_entry_before_it() -> None:
    last = Last()
    last.hit(entry(10.0, 20.0), 12.5)
    last.landed("bypass", "volatile", None, 13.0)
    assert (last.outcome, last.reason) == ("bypass", "volatile")
    assert (last.age_ms(), last.ttl_ms(expiring=True)) == (None, None)


def test_times_are_never_negative() -> None:
    last = Last()
    last.hit(entry(10.0, 11.0), 12.0)
    assert last.ttl_ms(expiring=True) == 0
