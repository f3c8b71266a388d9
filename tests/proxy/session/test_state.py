"""session.state: settings and role follow PostgreSQL through transactions, and doubt refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.session.state import KEY_SETTINGS, State
from proxy.sql.analysis import DiscardAll, Doubt, ResetAll, ResetSetting, SetRole, SetSetting
from tests.postgres import Cluster
from tests.proxy.session.world import BASELINE, USER, a_state

VALUES = {"bytea_output": ("hex", "escape"), "xmloption": ("content", "document"), "search_path": ("a", "b")}
SAVEPOINTS = ("one", "two")


@dataclass(frozen=True)
class Move:
    """One statement about settings: ``kind`` is its verb, ``name`` a setting or a savepoint."""

    kind: str
    name: str = ""
    value: str = ""
    local: bool = False

    def sql(self) -> str:
        if self.kind == "set":
            return f"SET {'LOCAL ' if self.local else ''}{self.name} = {self.value}"
        return f"{self.kind} {self.name}"


class Journal:
    """The model: every SET in order, and marks between them; what is undone is struck out."""

    def __init__(self) -> None:
        self.lines: list[Move] = []
        self.inside = False

    def savepoints(self) -> list[str]:
        return [line.name for line in self.lines if line.kind == "SAVEPOINT"]

    def value(self, name: str) -> str:
        values = [line.value for line in self.lines if line.kind == "set" and line.name == name]
        return values[-1] if values else BASELINE[name]

    def play(self, move: Move) -> None:
        if move.kind == "BEGIN":
            self.inside = True
        elif move.kind == "COMMIT":
            self.lines = [line for line in self.lines if line.kind == "set" and not line.local]
        elif move.kind == "ROLLBACK":
            del self.lines[self.lines.index(Move("BEGIN")) :]
        elif move.kind in ("ROLLBACK TO", "RELEASE"):
            self._back_to(move)
            return
        if move.kind in ("COMMIT", "ROLLBACK"):
            self.inside = False
        elif self.inside or not move.local:
            self.lines.append(move)

    def _back_to(self, move: Move) -> None:
        marks = [at for at, line in enumerate(self.lines) if line == Move("SAVEPOINT", move.name)]
        if move.kind == "ROLLBACK TO":
            del self.lines[marks[-1] + 1 :]
        else:
            after = self.lines[marks[-1] + 1 :]
            self.lines[marks[-1] :] = [line for line in after if line.kind != "SAVEPOINT"]


def play(state: State, move: Move, *, inside: bool) -> None:
    """The same move as the session would make it."""
    if move.kind == "set":
        state.apply(SetSetting(move.name, move.value, move.local), in_transaction=inside)
        return
    without_name: dict[str, Callable[[], None]] = {
        "BEGIN": state.begin, "COMMIT": state.commit, "ROLLBACK": state.rollback
    }  # fmt: skip
    with_name: dict[str, Callable[[str], None]] = {
        "SAVEPOINT": state.savepoint, "ROLLBACK TO": state.rollback_to, "RELEASE": state.release
    }  # fmt: skip
    if move.kind in without_name:
        without_name[move.kind]()
    else:
        with_name[move.kind](move.name)


def possible(journal: Journal) -> Iterator[Move]:
    """Every move that PostgreSQL would accept now."""
    for name, values in VALUES.items():
        for value in values:
            yield from (Move("set", name, value, local) for local in (True, False))
    if not journal.inside:
        yield from [Move("BEGIN")] * 6
        return
    yield from [Move("COMMIT"), Move("ROLLBACK"), Move("SAVEPOINT", "one"), Move("SAVEPOINT", "two")] * 2
    for name in set(journal.savepoints()):
        yield from [Move("ROLLBACK TO", name), Move("RELEASE", name)] * 2


def history(data: st.DataObject, most: int = 25) -> Iterator[tuple[Move, Journal, bool]]:
    """Random moves, each with the journal after it, and whether it was made inside a transaction."""
    journal = Journal()
    for _ in range(data.draw(st.integers(1, most))):
        move = data.draw(st.sampled_from(sorted(possible(journal), key=repr)))
        inside = journal.inside
        journal.play(move)
        yield move, journal, inside


@given(data=st.data())
def test_any_history_of_set_and_savepoints_leaves_the_values_that_a_simple_model_says(
    data: st.DataObject,
) -> None:
    state = a_state()
    for move, journal, inside in history(data):
        play(state, move, inside=inside)
        assert {n: state.value(n) for n in VALUES} == {n: journal.value(n) for n in VALUES}
    assert not state.doubt


@pytest.mark.soundness("3.3")
@pytest.mark.postgres
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_any_history_of_set_and_savepoints_leaves_the_values_that_postgresql_has(
    cluster: Cluster, data: st.DataObject
) -> None:
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        shown = {name: _shown(connection, name) for name in VALUES}
        state = State(5, USER, shown)
        for move, _, inside in history(data):
            connection.execute(move.sql().encode())
            play(state, move, inside=inside)
            assert {n: state.value(n) for n in VALUES} == {n: _shown(connection, n) for n in VALUES}


def _shown(connection: psycopg.Connection, name: str) -> str:
    row = connection.execute(f"SHOW {name}".encode()).fetchone()
    assert row is not None
    return str(row[0])


@pytest.mark.soundness("3.1", "7.1")
def test_role_and_session_user_are_both_part_of_the_scope() -> None:
    state = a_state()
    before = state.scope()
    state.apply(SetRole("bob"), in_transaction=False)
    assert state.current_user == "bob"
    assert state.scope() != before
    state.apply(SetRole(None), in_transaction=False)
    assert state.scope() == before


@pytest.mark.soundness("3.3")
def test_set_local_role_ends_with_the_transaction() -> None:
    state = a_state()
    state.begin()
    state.apply(SetRole("bob", local=True), in_transaction=True)
    assert state.current_user == "bob"
    state.commit()
    assert state.current_user == USER


@pytest.mark.soundness("3.3")
def test_set_role_is_undone_by_rollback() -> None:
    state = a_state()
    state.begin()
    state.apply(SetRole("bob"), in_transaction=True)
    state.rollback()
    assert state.current_user == USER


@pytest.mark.soundness("3.1")
@pytest.mark.parametrize("name", KEY_SETTINGS)
def test_every_key_setting_moves_the_scope(name: str) -> None:
    assert a_state(**{name: "something else"}).scope() != a_state().scope()


def test_a_setting_that_no_answer_depends_on_leaves_the_scope_alone() -> None:
    state = a_state()
    before = state.scope()
    state.apply(SetSetting("application_name", "x"), in_transaction=False)
    assert state.scope() == before
    assert state.own() == {"application_name": "x"}


@pytest.mark.soundness("3.3")
def test_what_the_origin_reports_overrules_the_text_of_a_set() -> None:
    state = a_state()
    state.apply(SetSetting("datestyle", "German"), in_transaction=False)
    assert state.value("datestyle") == "ISO, MDY"
    state.report("DateStyle", "German, DMY")
    assert state.value("datestyle") == "German, DMY"


def test_a_reported_change_of_the_session_user_is_followed() -> None:
    state = a_state()
    state.report("session_authorization", "bob")
    assert state.current_user == "bob"


def test_a_report_of_an_untracked_setting_changes_nothing() -> None:
    state = a_state()
    before = state.scope()
    state.report("application_name", "x")
    assert state.scope() == before


@pytest.mark.soundness("3.3")
def test_a_value_that_nobody_vouches_for_puts_everything_in_doubt() -> None:
    state = a_state()
    state.apply(SetSetting("search_path", None), in_transaction=False)
    assert state.refusal() == "doubt"


def test_doubt_ends_when_the_origin_has_told_everything() -> None:
    state = a_state()
    state.apply(Doubt(), in_transaction=False)
    assert state.refusal() == "doubt"
    state.probed(5, USER, "bob", BASELINE | {"search_path": "other"}, first=False)
    assert state.refusal() == ""
    assert (state.current_user, state.value("search_path")) == ("bob", "other")


def test_the_probe_knows_nothing_of_our_own_switch() -> None:
    state = a_state()
    state.apply(SetSetting("orrery.cache", "off"), in_transaction=False)
    state.probed(5, USER, USER, BASELINE, first=False)
    assert state.refusal() == "off"


@pytest.mark.parametrize("change", [ResetAll(), DiscardAll()])
def test_reset_all_and_discard_all_go_back_to_the_beginning(change: ResetAll | DiscardAll) -> None:
    state = a_state()
    before = state.scope()
    state.apply(SetSetting("search_path", "other"), in_transaction=False)
    state.apply(change, in_transaction=False)
    assert state.scope() == before


def test_discard_all_gives_back_role_temporary_tables_and_locks() -> None:
    state = a_state()
    state.apply(SetRole("bob"), in_transaction=False)
    state.temporary = state.locked = True
    state.apply(DiscardAll(), in_transaction=False)
    assert (state.current_user, state.refusal()) == (USER, "")


def test_reset_goes_back_to_the_value_at_login() -> None:
    state = a_state(search_path="mine")
    state.apply(SetSetting("search_path", "other"), in_transaction=False)
    state.apply(ResetSetting("search_path"), in_transaction=False)
    assert state.value("search_path") == "mine"


def test_set_local_outside_a_transaction_does_nothing() -> None:
    state = a_state()
    state.apply(SetSetting("search_path", "other", local=True), in_transaction=False)
    state.apply(SetRole("bob", local=True), in_transaction=False)
    assert (state.value("search_path"), state.current_user) == (BASELINE["search_path"], USER)


@pytest.mark.soundness("3.3")
@pytest.mark.parametrize("move", ["release", "rollback_to"])
def test_a_savepoint_that_was_never_seen_puts_everything_in_doubt(move: str) -> None:
    state = a_state()
    state.begin()
    getattr(state, move)("unknown")
    assert state.doubt


@pytest.mark.soundness("3.2", "4.1")
@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"orrery.cache": "off"}, "off"),
        ({"orrery.cache": "perhaps"}, "off"),
        ({"orrery.cache": "on"}, ""),
        ({"transform_null_equals": "on"}, "settings"),
        ({"gin_fuzzy_search_limit": "100"}, "settings"),
        ({}, ""),
    ],
)
def test_some_settings_refuse_the_memory_by_themselves(values: dict[str, str], reason: str) -> None:
    assert a_state(**values).refusal() == reason


@pytest.mark.soundness("2.2", "4.2")
def test_temporary_tables_and_session_locks_refuse_the_memory() -> None:
    state = a_state()
    state.locked = True
    assert state.refusal() == "locked"
    state.temporary = True
    assert state.refusal() == "temporary"


@pytest.mark.soundness("3.3")
@pytest.mark.parametrize(("value", "refusal"), [("mine", "doubt"), ("pg_catalog.english", "")])
def test_a_name_that_set_resolves_by_the_search_path_is_asked_for(value: str, refusal: str) -> None:
    state = a_state()
    state.apply(SetSetting("default_text_search_config", value), in_transaction=False)
    assert state.refusal() == refusal


def test_a_session_is_its_login_role_and_the_one_it_has_taken() -> None:
    state = a_state()
    state.apply(SetRole("bob"), in_transaction=False)
    assert state.is_one_of(frozenset({USER}))
    assert state.is_one_of(frozenset({"bob"}))
    assert not state.is_one_of(frozenset({"carol"}))
