"""session.rows: a write to one row leaves the answers about others, with literals and with parameters."""

from __future__ import annotations

import struct

import pytest

from proxy.cache import facets
from proxy.session import rows
from proxy.session.shapes import Shape
from proxy.session.statements import Prepared
from proxy.sql import analyse
from proxy.sql.analysis import Extent, Reach, Statement
from proxy.sql.rows import Parameter, RowChange
from proxy.wire import frontend
from tests.proxy.session import sky
from tests.proxy.session.world import FLUSH, SYNC, Conversation, World, rerun, run

QUERY = frontend.query
FIND = b"SELECT name FROM planet WHERE id = $1"
RENAME = b"UPDATE planet SET name = $2 WHERE id = $1"
FIRST, SECOND = b"SELECT name FROM planet WHERE id = 1", b"SELECT name FROM planet WHERE id = 2"


def tail(*values: bytes | None, code: int = 0) -> bytes:
    """Bind's end: these parameters, all in one format, and results as text."""
    lengths = (struct.pack("!i", -1 if value is None else len(value)) + (value or b"") for value in values)
    return struct.pack("!hhh", 1, code, len(values)) + b"".join(lengths) + b"\0\0"


def binary(number: int) -> bytes:
    return number.to_bytes(4, "big", signed=True)


def remember_rows(client: Conversation) -> None:
    client.remember(FIRST)
    client.remember(SECOND)


@pytest.mark.parametrize(
    "write",
    [
        b"UPDATE planet SET name = 'x' WHERE id = 1",
        b"UPDATE planet SET id = 1 WHERE id = 7",
        b"DELETE FROM planet WHERE id = 1",
        b"INSERT INTO planet (id, name) VALUES (1, 'x')",
        b"INSERT INTO planet (id, name) VALUES (1, 'x'), (7, 'y')",
        b"DELETE FROM planet WHERE id = 1; DELETE FROM planet WHERE id = 7",
    ],
)
def test_a_write_drops_its_own_row_and_leaves_the_other(write: bytes) -> None:
    client = World().client()
    remember_rows(client)
    client.query(write)
    assert (client.hits(FIRST), client.hits(SECOND)) == (False, True)


def test_an_update_of_a_column_that_is_not_asked_for_drops_nothing() -> None:
    client = World().client()
    remember_rows(client)
    client.query(b"UPDATE planet SET discovered = NULL")
    assert client.hits(FIRST)
    assert client.hits(SECOND)


@pytest.mark.parametrize("code", [0, 1])
def test_parameters_tell_rows_apart_in_text_and_binary(code: int) -> None:
    world = World()
    client = world.client()
    one, two = (binary(1), binary(2)) if code else (b"1", b"2")
    for value in (one, two):
        client.ask(
            run(FIND, b"f", tail(value, code=code)) if value is one else rerun(b"f", tail(value, code=code)),
            SYNC,
        )
    client.ask(run(RENAME, b"", tail(one, b"Mars", code=code)), SYNC)
    before = world.counters.hit
    client.ask(rerun(b"f", tail(two, code=code)), SYNC)
    assert world.counters.hit == before + 1
    client.ask(rerun(b"f", tail(one, code=code)), SYNC)
    assert world.counters.hit == before + 1


def test_a_value_means_the_same_as_a_literal_and_in_each_format() -> None:
    client = World().client()
    for write in (tail(binary(1), b"Mars", code=1), tail(b"1", b"Mars")):
        remember_rows(client)
        client.ask(run(RENAME, b"", write), SYNC)
        assert (client.hits(FIRST), client.hits(SECOND)) == (False, True)


def test_a_prepared_write_run_again_changes_the_row_of_its_new_parameters() -> None:
    client = World().client()
    client.ask(run(RENAME, b"w", tail(b"7", b"x")), SYNC)
    remember_rows(client)
    client.ask(rerun(b"w", tail(b"1", b"x")), SYNC)
    assert (client.hits(FIRST), client.hits(SECOND)) == (False, True)
    client.ask(rerun(b"w", tail(b"2", b"x")), SYNC)
    assert not client.hits(SECOND)


def test_a_prepared_write_whose_rows_a_flush_cut_off_from_its_parse_is_bound_too() -> None:
    client = World().client()
    remember_rows(client)
    client.ask(frontend.parse(b"w", RENAME), frontend.describe(frontend.STATEMENT, b"w"), FLUSH)
    client.ask(frontend.bind(b"", b"w", tail(b"1", b"x")), frontend.execute(b""), SYNC)
    assert (client.hits(FIRST), client.hits(SECOND)) == (False, True)


def test_every_run_of_a_pipeline_brings_its_own_parameters() -> None:
    client = World().client()
    remember_rows(client)
    client.remember(b"SELECT name FROM planet WHERE id = 3")
    client.ask(run(RENAME, b"w", tail(b"1", b"x")), rerun(b"w", tail(b"3", b"x")), SYNC)
    hits = [client.hits(b"SELECT name FROM planet WHERE id = %d" % row) for row in (1, 2, 3)]
    assert hits == [False, True, False]


@pytest.mark.parametrize("value", [b" 1", b"+1", b"1.0", b"x"])
def test_a_value_that_cannot_be_told_drops_every_row(value: bytes) -> None:
    client = World().client()
    remember_rows(client)
    client.ask(run(RENAME, b"", tail(value, b"x")), SYNC)
    assert not client.hits(FIRST)
    assert not client.hits(SECOND)


def test_an_answer_to_a_value_that_cannot_be_told_goes_with_every_row() -> None:
    world = World()
    client = world.client()
    client.ask(run(FIND, b"f", tail(b" 1")), SYNC)
    client.ask(rerun(b"f", tail(b" 1")), SYNC)
    hits = world.counters.hit
    assert hits == 1
    client.query(b"DELETE FROM planet WHERE id = 7")
    client.ask(rerun(b"f", tail(b" 1")), SYNC)
    assert world.counters.hit == hits


def test_a_transaction_drops_the_rows_it_touched_at_its_commit() -> None:
    client = World().client()
    remember_rows(client)
    reader = client.world.client()
    client.query(b"BEGIN", b"DELETE FROM planet WHERE id = 7", b"UPDATE planet SET name = 'x' WHERE id = 1")
    assert reader.hits(FIRST)
    client.query(b"COMMIT")
    assert (reader.hits(FIRST), reader.hits(SECOND)) == (False, True)


def test_a_write_on_its_way_suspends_its_own_row_alone() -> None:
    world = World()
    writer, reader = world.client(), world.client()
    reader.remember(SECOND)
    reader.remember(FIRST)
    writer.attach()
    writer.say(QUERY(b"UPDATE planet SET name = 'x' WHERE id = 1"))
    assert reader.hits(SECOND)
    assert not reader.hits(FIRST)
    assert reader.last == ("bypass", "suspended")
    reader.remember(b"SELECT name FROM planet WHERE id = 3")
    writer.settle()
    assert reader.hits(b"SELECT name FROM planet WHERE id = 3")
    assert not reader.hits(FIRST)


def test_a_statement_first_seen_while_a_write_is_on_its_way_is_not_remembered() -> None:
    world = World()
    writer, reader = world.client(), world.client()
    writer.attach()
    writer.say(QUERY(b"UPDATE planet SET name = 'x' WHERE id = 1"))
    assert reader.query(FIRST) == "T D:0 C:SELECT 1 Z:I"
    assert reader.last == ("bypass", "suspended")
    writer.settle()
    assert reader.query(FIRST) == "T D:1 C:SELECT 1 Z:I"


def test_a_read_of_one_row_that_began_before_a_write_to_it_never_lands() -> None:
    world = World()
    writer, reader = world.client(), world.client()
    reader.attach()
    for text, outcome in ((FIRST, ("bypass", "moved")), (SECOND, ("fill", ""))):
        reader.say(QUERY(text))
        said = reader.origin.answer()
        writer.query(b"UPDATE planet SET name = 'x' WHERE id = 1")
        reader.session.origin_received(said, world.clock.now)
        assert reader.last == outcome


def test_a_lost_connection_keeps_its_row_suspended_and_no_other() -> None:
    world = World()
    writer, reader = world.client(), world.client()
    remember_rows(reader)
    writer.attach()
    writer.say(QUERY(b"UPDATE planet SET name = 'x' WHERE id = 1"))
    writer.session.origin_lost(world.clock.now)
    assert (reader.hits(FIRST), reader.hits(SECOND)) == (False, True)


def test_a_statement_behind_a_name_reaches_the_whole_table() -> None:
    client = World().client()
    client.query(b"PREPARE w (int) AS DELETE FROM planet WHERE id = $1")
    remember_rows(client)
    client.query(b"EXECUTE w (1)")
    assert not client.hits(SECOND)


def test_a_statement_prepared_by_the_protocol_and_executed_by_name_confines_nothing() -> None:
    client = World().client()
    client.ask(run(RENAME, b"w", tail(b"7", b"x")), SYNC)
    remember_rows(client)
    client.query(b"EXECUTE w (1, 'x')")
    assert not client.hits(FIRST)
    assert not client.hits(SECOND)


def test_a_statement_prepared_before_its_column_got_another_type_confines_nothing() -> None:
    world = World()
    client = world.client()
    told = sky.table(sky.PLANET, "planet", ("id", 25), ("name", 25), ("discovered", 1082))
    world.learn(sky.catalogue(told, fingerprint="text"))
    client.ask(run(RENAME, b"w", tail(b"7", b"x")), SYNC)
    world.learn(sky.catalogue(fingerprint="integer"))
    remember_rows(client)
    client.ask(rerun(b"w", tail(b"1", b"x")), SYNC)
    assert not client.hits(FIRST)
    assert not client.hits(SECOND)


def test_a_statement_that_is_prepared_late_on_another_connection_confines_nothing_later() -> None:
    prepared = Prepared(b"w", RENAME, b"", 0, shape_of(RENAME), None)
    prepared.at_origin = True
    (unsettled,) = rows.bound(statements(RENAME), prepared, tail(b"1", b"x"))
    assert [change.confined for change in unsettled.reach.changes] == [()]
    prepared.parameters = rows.parameters(shape_of(RENAME))
    (settled,) = rows.bound(statements(RENAME), prepared, tail(b"1", b"x"))
    assert [change.confined for change in settled.reach.changes] == [((1, (1,)),)]


def shape_of(text: bytes) -> Shape:
    shape = Shape(0, {}, text)
    shape.analysis = analyse.analyse(
        text.decode(), sky.catalogue(), analyse.Context(("pg_catalog", "public"))
    )
    return shape


def statements(text: bytes) -> tuple[Statement, ...]:
    analysis = shape_of(text).analysis
    assert analysis is not None
    return analysis.statements


def test_a_relation_without_a_part_is_read_whole() -> None:
    statement = Statement("select", reads=frozenset({10}))
    assert rows.reads(statement) == [10]


def test_a_parameter_that_was_never_bound_confines_nothing_in_the_memory() -> None:
    change = RowChange(10, None, ((1, (5, Parameter(1, 23))), (2, (6,))))
    reach = Reach(Extent.TABLES, frozenset({10, 11}), changes=frozenset({change}))
    told = rows.in_memory(reach, 5)
    assert told.relations == {11}
    assert told.changes == {facets.RowChange(10, None, ((2, (6,)),))}


@pytest.mark.parametrize("tail_of_bind", [b"", b"\0", tail(), tail(b"1")])
def test_a_bind_that_does_not_bring_the_value_leaves_it_untold(tail_of_bind: bytes) -> None:
    shape = shape_of(b"SELECT name FROM planet WHERE id = $2")
    assert rows.fixed(shape, b"T" + tail_of_bind) == [facets.ANY_VALUE]


def test_null_is_a_value_that_no_row_equals() -> None:
    assert rows.fixed(shape_of(FIND), b"T" + tail(None)) == [None]
