"""Registers, counters and pairs: what is legal is explained, what is not is called by its name."""

from __future__ import annotations

from itertools import combinations, permutations
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.histories.history import ACKNOWLEDGED, AT_THE_ORIGIN, IN_DOUBT, REFUSED, Read, Row, Write
from tests.histories.making import FIRST, named, read, write

if TYPE_CHECKING:
    from collections.abc import Iterable

Operation = Write | Read
PAIR = "pair 1"


def pair(*rows: Row) -> Read:
    return Read(PAIR, rows, "reader", "by hand", 1, 10, 11)


def test_reads_beside_a_write_may_show_either_value() -> None:
    assert not named(write("a", 0, 10, 1), read(FIRST, 0, 1, 2), read("a", 1, 3, 4), read("a", 1, 11, 12))


def test_a_read_older_than_an_acknowledged_write_is_stale() -> None:
    assert named(write("a", 0, 1, 1), read(FIRST, 0, 2, 3)) == ["stale"]


def test_a_read_older_than_an_earlier_read_is_non_monotonic() -> None:
    assert named(write("a", 0, 10, 1), read("a", 1, 1, 2), read(FIRST, 0, 3, 4)) == ["non-monotonic"]


def test_a_write_whose_number_nobody_was_told_counts_all_the_same() -> None:
    assert named(write("a", 0, 1), write("b", 2, 3), read(FIRST, 0, 4, 5)) == ["stale"]
    assert not named(write("a", 0, 1), read("a", 1, 4, 5))


def test_a_value_that_nobody_wrote_is_a_phantom() -> None:
    assert named(read("x", 1, 0, 1)) == ["phantom"]


def test_a_value_of_another_register_is_a_phantom() -> None:
    assert named(write("a", 0, 1, 1, name="register 2"), read("a", 1, 2, 3)) == ["phantom"]


def test_a_value_that_was_rolled_back_is_a_phantom() -> None:
    assert named(write("a", 0, 1, outcome=REFUSED), read("a", 1, 0, 2)) == ["phantom"]


def test_a_value_read_before_it_was_sent_is_a_phantom() -> None:
    assert named(write("a", 5, 6, 1), read("a", 1, 1, 2)) == ["phantom"]


def test_a_number_of_another_value_is_a_phantom() -> None:
    assert named(write("a", 0, 1, 1), write("b", 0, 1, 2), read("a", 2, 3, 4)) == ["phantom"]
    happened = write("a", 0), write("b", 0), read("a", 1, 3, 4), read("b", 1, 3, 4)
    assert named(*happened) == ["phantom"]


def test_a_write_in_doubt_may_happen_late_or_never() -> None:
    assert not named(write("a", 0), read(FIRST, 0, 50, 51))
    assert not named(write("a", 0), read(FIRST, 0, 50, 51), read("a", 1, 52, 53))


def test_a_write_in_doubt_that_was_seen_stays() -> None:
    assert named(write("a", 0), read("a", 1, 50, 51), read(FIRST, 0, 52, 53)) == ["non-monotonic"]


def test_what_the_origin_itself_no_longer_has_is_lost() -> None:
    assert named(write("a", 0, 1, 1), read(FIRST, 0, 5, 6, AT_THE_ORIGIN)) == ["lost"]
    assert named(write("a", 0, 1, 1), write("b", 0, 1, 1)) == ["lost"]


def test_a_transaction_that_does_not_see_its_own_write_reads_stale() -> None:
    own = read(FIRST, 0, 1, 2)
    own.own = "a"
    assert named(write("a", 3, 4, 1), own) == ["stale"]
    own.rows = (Row("a", 1),)
    assert not named(write("a", 3, 4, 1), own)


def test_half_a_transfer_is_torn() -> None:
    transfer = write("a", 0, 1, 1, name=PAIR)
    assert not named(transfer, pair(Row("a", 1, 60), Row("a", 1, 40)))
    assert named(transfer, pair(Row("a", 1, 60), Row("z", 0, 50))) == ["torn"]
    assert named(transfer, pair(Row("a", 1, 60), Row("a", 1, 50))) == ["torn"]
    assert named(transfer, pair(Row("a", 1, 60))) == ["torn"]


def test_a_counter_higher_than_all_that_was_sent_is_a_phantom() -> None:
    counted = Read("counter 1", (Row("", 2),), "reader", "by hand", 1, 5, 6)
    assert named(write("", 0, 1, 1, name="counter 1"), counted) == ["phantom"]
    assert not named(write("", 0, 1, 1, name="counter 1"), write("", 2, name="counter 1"), counted)


# The same question, asked of every order that there is.

moments = st.lists(st.integers(0, 9), min_size=2, max_size=2, unique=True).map(sorted)


@st.composite
def histories(draw: st.DrawFn, *, blind: bool) -> list[Operation]:
    tokens = "abc"[: draw(st.integers(0, 3))]
    happened: list[Operation] = []
    for token in tokens:
        began, ended = draw(moments)
        outcome = draw(st.sampled_from([ACKNOWLEDGED, ACKNOWLEDGED, IN_DOUBT]))
        number = None if outcome == IN_DOUBT or (blind and draw(st.booleans())) else draw(st.integers(1, 3))
        happened.append(write(token, began, ended if outcome == ACKNOWLEDGED else float("inf"), number))
    for _ in range(draw(st.integers(0, 3))):
        began, ended = draw(moments)
        happened.append(read(draw(st.sampled_from([FIRST, *tokens])), draw(st.integers(0, 3)), began, ended))
    return happened


def is_linearizable(happened: list[Operation]) -> bool:
    """Some order agrees with time and with a register that counts, writes in doubt taking part or not."""
    doubtful = [one for one in happened if isinstance(one, Write) and one.outcome == IN_DOUBT]
    certain = [one for one in happened if one not in doubtful]
    parts = (part for size in range(len(doubtful) + 1) for part in combinations(doubtful, size))
    return any(agrees(order) for part in parts for order in permutations([*certain, *part]))


def agrees(order: Iterable[Operation]) -> bool:
    token, number, latest = FIRST, 0, float("-inf")
    for one in order:
        if one.ended < latest:
            return False
        latest = max(latest, one.began)
        if isinstance(one, Read):
            if one.rows[0][:2] != (token, number):
                return False
        else:
            token, number = one.token, number + 1
            if one.number not in (None, number):
                return False
    return True


@given(histories(blind=True))
@settings(max_examples=400, deadline=None)
def test_what_has_a_legal_order_is_never_accused(happened: list[Operation]) -> None:
    if is_linearizable(happened):
        assert not named(*happened)


@given(histories(blind=False))
@settings(max_examples=400, deadline=None)
def test_reads_without_a_legal_order_are_found(happened: list[Operation]) -> None:
    if not is_linearizable(happened):
        writes = [one for one in happened if isinstance(one, Write)]
        assert named(*happened) or not is_linearizable(list(writes))
