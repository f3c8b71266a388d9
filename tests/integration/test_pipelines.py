"""Pipelines: whoever answers, memory, proxy or origin, the replies come in the order asked."""

from __future__ import annotations

import psycopg
import pytest

from tests.integration.place import NAMES, PLANETS, Connection, Place, ask, last, remember
from tests.matrix import POOL

pytestmark = pytest.mark.postgres


def _in_one_batch(connection: Connection, *queries: str) -> None:
    with connection.pipeline():
        for query in queries:
            connection.execute(query.encode())


def test_a_pipeline_answers_in_order(place: Place) -> None:
    place.direct(PLANETS)
    with place.connect() as connection:
        for _ in range(3):
            with connection.pipeline():
                cursors = [
                    connection.execute("SELECT name FROM planets WHERE id = %s", (number,))
                    for number in (1, 2, 3)
                ]
                assert [cursor.fetchall() for cursor in cursors] == [
                    [("Mercury",)],
                    [("Venus",)],
                    [("Mars",)],
                ]


def test_a_pipeline_of_remembered_reads_hits(place: Place) -> None:
    place.direct(PLANETS)
    with place.connect() as connection:
        hits = place.proxy.figure("outcomes", "hit")
        for _ in range(3):
            with connection.pipeline() as pipeline:
                for number in (1, 2, 3):
                    connection.execute("SELECT name FROM planets WHERE id = %s", (number,))
                    pipeline.sync()
        assert place.proxy.figure("outcomes", "hit") - hits >= 3


def test_what_the_proxy_answers_keeps_its_place_among_the_origins_replies(place: Place) -> None:
    place.direct(PLANETS)
    with place.connect() as connection, connection.pipeline() as pipeline:
        slow = connection.execute("SELECT 'origin' FROM pg_sleep(0.1)")
        pipeline.sync()
        own = connection.execute("SHOW orrery.last")
        pipeline.sync()
        after = connection.execute("SELECT 'later'")
        assert slow.fetchall() == [("origin",)]
        found = own.fetchone()
        assert found is not None
        assert found[0] == "bypass"
        assert after.fetchall() == [("later",)]


def test_own_and_other_statements_mix_in_one_batch(place: Place) -> None:
    with place.connect() as connection, connection.pipeline():
        first = connection.execute("SELECT 1")
        own = connection.execute("SHOW orrery.status")
        second = connection.execute("SELECT 2")
        assert first.fetchall() == [(1,)]
        assert ("pool", POOL) in own.fetchall()
        assert second.fetchall() == [(2,)]


def test_a_simple_own_command_waits_for_the_question_that_settles_a_doubt(place: Place) -> None:
    with place.connect() as connection:
        for _ in range(5):
            ask(connection, "DO 'BEGIN END'")  # of unknown reach: the proxy asks the origin what has changed
            assert ask(connection, "SHOW orrery.last")[0][:1] == ("write",)


@pytest.mark.soundness("2.8")
def test_after_an_error_the_rest_of_the_batch_is_skipped(place: Place) -> None:
    place.direct(PLANETS)
    with place.connect() as connection:
        remember(connection)
        with pytest.raises(psycopg.errors.DivisionByZero):
            _in_one_batch(connection, "SELECT 1 / 0", NAMES)
        assert ask(connection, NAMES) == [("Mercury",), ("Venus",), ("Mars",)]


def test_an_error_in_a_pipeline_undoes_the_writes_of_its_batch(place: Place) -> None:
    place.direct(PLANETS)
    with place.connect() as connection, place.connect() as reader:
        remember(reader)
        with pytest.raises(psycopg.errors.DivisionByZero):
            _in_one_batch(connection, "UPDATE planets SET name = 'X'", "SELECT 1 / 0")
        assert ask(reader, NAMES) == [("Mercury",), ("Venus",), ("Mars",)]


@pytest.mark.soundness("4.3")
def test_a_read_behind_a_write_in_one_pipeline_sees_it(place: Place) -> None:
    place.direct(PLANETS)
    with place.connect() as connection:
        remember(connection, "SELECT name FROM planets WHERE id = 1")
        with connection.pipeline():
            connection.execute("UPDATE planets SET name = 'Hermes' WHERE id = 1")
            read = connection.execute("SELECT name FROM planets WHERE id = 1")
            assert read.fetchall() == [("Hermes",)]


def test_writes_and_reads_behind_separate_syncs_keep_their_order(place: Place) -> None:
    place.direct(PLANETS)
    with place.connect() as connection:
        remember(connection, "SELECT name FROM planets WHERE id = 1")
        with connection.pipeline() as pipeline:
            found = []
            for name in ("A", "B", "C", "D"):
                connection.execute("UPDATE planets SET name = %s WHERE id = 1", (name,))
                pipeline.sync()
                found.append(connection.execute("SELECT name FROM planets WHERE id = 1"))
                pipeline.sync()
            assert [cursor.fetchall() for cursor in found] == [[("A",)], [("B",)], [("C",)], [("D",)]]
        assert last(connection)[0] != "hit"
