"""Precise writes leave only answers that are still true, and whoever claims too much is found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.cache.buckets import Buckets
from proxy.cache.entry import Slot
from proxy.cache.facets import Canonical, Facet, Fixed, RowChange
from proxy.cache.tags import Suspension
from tests.laws.rows import Statement, Table, play


@settings(deadline=None)
@given(st.randoms(use_true_random=False))
def test_every_history_of_rows_gives_the_truth(random: Random) -> None:
    play(Table(random), steps=60)


def test_every_history_of_rows_played_from_a_seed_gives_the_truth() -> None:
    for seed in range(400):
        play(Table(Random(seed)), steps=200)


class OldImagesOnly(Table):
    """An UPDATE is taken to concern the rows it finds, and not those it makes."""

    def change(self, statement: Statement) -> RowChange:
        change = super().change(statement)
        if statement.kind != "update" or statement.where is None:
            return change
        return replace(change, confined=((statement.where[0], (statement.where[1],)),))


class ForgetsAColumn(Table):
    """An UPDATE is said to set fewer columns than it does."""

    def change(self, statement: Statement) -> RowChange:
        change = super().change(statement)
        return change if change.changed is None else replace(change, changed=frozenset())


class TakesRowsForColumns(Table):
    """Rows that come and go are said to change columns only."""

    def change(self, statement: Statement) -> RowChange:
        change = super().change(statement)
        return replace(change, changed=frozenset({1})) if change.changed is None else change


class GuessesValues(Table):
    """A value that cannot be told is taken for another one."""

    def fixed(self, value: Canonical) -> Fixed:  # noqa: ARG002 - that is the breach
        return 0


def assert_found(table: type[Table] = Table) -> None:
    """Some history must end in an answer that is not the truth."""

    def hunt() -> None:
        for seed in range(300):
            play(table(Random(seed)), steps=200)

    with pytest.raises(AssertionError, match="is not"):
        hunt()


@pytest.mark.parametrize("table", [OldImagesOnly, ForgetsAColumn, TakesRowsForColumns, GuessesValues])
def test_a_proof_that_claims_too_much_is_found(table: type[Table]) -> None:
    assert_found(table)


def test_a_facet_that_is_born_unsuspended_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Suspension, "cover", lambda *_: None)
    assert_found()


def test_a_facet_that_overlooks_rows_coming_and_going_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(facet: Facet, change: RowChange) -> bool:
        return facet.mentions is not None and facet.mentions.isdisjoint(change.changed or ())

    monkeypatch.setattr(Facet, "cannot_see", careless)
    assert_found()


def test_rows_that_are_not_suspended_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def raise_alone(buckets: Buckets, places: Iterable[int], *, changed: bool) -> None:
        buckets.raise_generations(places if changed else ())

    monkeypatch.setattr(Buckets, "suspend", lambda *_: None)
    monkeypatch.setattr(Buckets, "end", raise_alone)
    assert_found()


def test_rows_that_are_not_raised_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    end = Buckets.end
    monkeypatch.setattr(Buckets, "end", lambda buckets, places, **_: end(buckets, places, changed=False))
    assert_found()


@pytest.mark.plain
def test_a_fill_that_forgets_its_rows_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Slot, "places", lambda *_: ())
    assert_found()
