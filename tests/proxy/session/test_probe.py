"""session.probe: one row tells everything that shapes answers, on every PostgreSQL, whatever the settings."""

from __future__ import annotations

import psycopg
import pytest

from proxy.session import probe
from proxy.session.state import KEY_SETTINGS, TRACKED
from proxy.wire import backend, frontend
from proxy.wire.framing import FrameSplitter
from tests.postgres import Cluster
from tests.proxy.session.world import BASELINE, USER, a_state, learnt


def as_row(fields: list[str]) -> bytes:
    return backend.data_row([field.encode() for field in fields])


def ask(connection: psycopg.Connection) -> probe.Learnt:
    row = connection.execute(probe.TEXT.encode()).fetchone()
    assert row is not None
    texts = ["" if value is None else {True: "t", False: "f"}.get(value, str(value)) for value in row]
    told = probe.read(as_row(texts))
    assert told is not None
    return told


def test_the_row_is_read_by_position() -> None:
    told = probe.read(as_row(learnt({"search_path": "other"}, role="bob", locked=True)))
    assert told is not None
    assert (told.session_user, told.role, told.process_id) == (USER, "bob", 4711)
    assert (told.temporary, told.locked) == (False, True)
    assert told.values == BASELINE | {"search_path": "other"}


def test_a_setting_that_the_server_does_not_know_is_empty() -> None:
    fields: list[bytes | None] = [field.encode() for field in learnt()]
    fields[-1] = None
    told = probe.read(backend.data_row(fields))
    assert told is not None
    assert told.values[TRACKED[-1]] == ""


def test_a_role_that_may_not_see_when_its_backend_began_is_read_all_the_same() -> None:
    told = probe.read(with_field(4, ""))
    assert told is not None
    assert told.backend_start == ""


def with_field(number: int, text: str) -> bytes:
    return as_row([*learnt()[:number], text, *learnt()[number + 1 :]])


@pytest.mark.parametrize(
    "row",
    [
        *(b"", as_row([]), as_row(learnt()[:-1])),
        *(with_field(number, "x") for number in range(2, 6)),
        *(with_field(2, text) for text in ("", "\u00b2", "-1", "9" * 5000)),
    ],
)
def test_a_missing_or_strange_row_proves_nothing(row: bytes) -> None:
    assert probe.read(row) is None


def test_what_was_learnt_brings_the_session_in_line() -> None:
    state = a_state()
    state.doubt = True
    told = probe.Learnt(learnt({"search_path": "other"}, role="bob", temporary=True, locked=True))
    told.apply(state, first=False)
    assert (state.doubt, state.temporary, state.locked) == (False, True, True)
    assert (state.current_user, state.value("search_path")) == ("bob", "other")


def test_its_messages_leave_no_statement_behind_and_touch_none_of_the_clients() -> None:
    frames = FrameSplitter(1 << 20).feed(probe.FRAMES)
    assert bytes(frame.kind for frame in frames) == b"CPBEC"
    assert frontend.read_close(frames[0].raw) == frontend.read_close(frames[-1].raw)
    name = frontend.read_parse(frames[1].raw)[0]
    assert name
    assert frontend.read_bind(frames[2].raw)[:2] == (name, name)


@pytest.mark.soundness("3.3", "3.4")
@pytest.mark.postgres
def test_postgresql_tells_settings_role_and_identity(cluster: Cluster) -> None:
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        connection.execute(b"SET search_path = pg_catalog, other")
        connection.execute(b"SET extra_float_digits = 3")
        connection.execute(b"SET ROLE pg_monitor")
        told = ask(connection)
        assert told.process_id == connection.info.backend_pid
    assert told.role == "pg_monitor"
    assert told.values["search_path"] == "pg_catalog, other"
    assert told.values["extra_float_digits"] == "3"
    assert set(told.values) >= set(KEY_SETTINGS)
    assert int(told.backend_start) > int(told.postmaster_start) > 1_500_000_000_000_000


@pytest.mark.soundness("4.2")
@pytest.mark.postgres
@pytest.mark.parametrize(
    ("text", "locked"),
    [
        (b"SELECT pg_advisory_lock(1)", True),
        (b"LOCK TABLE pg_catalog.pg_class IN SHARE MODE", True),
        (b"SELECT count(*) FROM pg_class", False),
    ],
)
def test_postgresql_tells_whether_a_lock_is_held(cluster: Cluster, text: bytes, locked: bool) -> None:
    with psycopg.connect(cluster.url("postgres")) as connection:
        connection.execute(text)
        assert ask(connection).locked == locked


@pytest.mark.soundness("2.2")
@pytest.mark.postgres
def test_postgresql_tells_whether_names_may_be_shadowed(cluster: Cluster) -> None:
    with psycopg.connect(cluster.url("postgres")) as connection:
        assert not ask(connection).temporary
        connection.execute(b"CREATE TEMPORARY TABLE planet (id int)")
        assert ask(connection).temporary


@pytest.mark.soundness("3.3")
@pytest.mark.postgres
def test_a_client_cannot_lend_the_question_another_meaning(cluster: Cluster) -> None:
    with psycopg.connect(cluster.url("postgres")) as connection:
        connection.execute(b"CREATE SCHEMA trap")
        connection.execute(
            b"CREATE FUNCTION trap.current_setting(text, boolean) RETURNS int LANGUAGE sql AS 'select 1'"
        )
        connection.execute(
            b"CREATE FUNCTION trap.no(oid, oid) RETURNS boolean LANGUAGE sql AS 'select false'"
        )
        connection.execute(b"CREATE OPERATOR trap.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = trap.no)")
        connection.execute(b"SET search_path = trap, pg_catalog")
        assert ask(connection).values["search_path"] == "trap, pg_catalog"
        connection.rollback()
