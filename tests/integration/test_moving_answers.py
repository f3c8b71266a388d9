"""Answers that move while no table changes: each is asked twice, and must be PostgreSQL's own both times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.integration.place import Place, ask
from tests.postgres import Database

if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.integration.proxy import Proxy
    from tests.postgres import Cluster

pytestmark = pytest.mark.postgres

SCHEMA: Final = """
CREATE TYPE visit AS (at timestamptz, note text);
CREATE DOMAIN moment AS timestamptz;
CREATE TABLE log (id int, word text, words text[], doc jsonb, old json, at timestamptz, v visit);
INSERT INTO log VALUES
  (1, 'now', '{now}', '{"at": "now"}', '{"at": "now"}', '2020-01-01 00:00+00', '("2020-01-01 00:00+00",x)');
CREATE VIEW words AS SELECT word::timestamptz AS at FROM log;
CREATE VIEW clock AS SELECT now() AS at FROM log;
CREATE VIEW clock_twice AS SELECT at FROM clock;
CREATE VIEW ages AS SELECT now() - at AS since FROM log WHERE at < CURRENT_DATE;
CREATE VIEW chance AS SELECT id, random() AS r FROM log;
CREATE FUNCTION labelled_immutable() RETURNS timestamptz LANGUAGE sql IMMUTABLE AS 'SELECT clock_timestamp()';
CREATE FUNCTION moment_of(log) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS 'SELECT clock_timestamp()';
CREATE FUNCTION keep(timestamptz, int) RETURNS timestamptz LANGUAGE sql IMMUTABLE
  AS 'SELECT clock_timestamp()';
CREATE AGGREGATE latest(int) (SFUNC = keep, STYPE = timestamptz, INITCOND = '2020-01-01');
CREATE FUNCTION later(int, text) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS 'SELECT clock_timestamp()';
CREATE OPERATOR @@> (LEFTARG = int, RIGHTARG = text, FUNCTION = later);
CREATE TYPE box_of AS (n int);
CREATE FUNCTION from_box(box_of) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS 'SELECT clock_timestamp()';
CREATE CAST (box_of AS timestamptz) WITH FUNCTION from_box(box_of);
CREATE FUNCTION round(timestamptz) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS 'SELECT clock_timestamp()';
"""

# Each begins with SELECT and reads the table log; its answer is another one each time.
HAZARDS: Final = {
    "clocks": (
        "2.4",
        "SELECT now() FROM log",
        "SELECT CURRENT_TIMESTAMP FROM log",
        "SELECT LOCALTIMESTAMP(6) FROM log",
        "SELECT clock_timestamp() FROM log",
        "SELECT (SELECT statement_timestamp()) FROM log",
        "SELECT format('%s', now()) FROM log",
        "SELECT json_build_object('at', now()) FROM log",
        "SELECT at FROM (SELECT now() AS at FROM log) x",
        "SELECT to_char(now(), 'US') FROM log",
        "SELECT extract(epoch FROM now()) FROM log",
        "SELECT max(now()) FROM log GROUP BY GROUPING SETS ((id), ())",
        "SELECT c.at FROM log, LATERAL (SELECT now()) AS c(at) WHERE id = 1",
        "SELECT c FROM log, ROWS FROM (clock_timestamp()) AS c",
    ),
    "chance": (
        "2.4",
        "SELECT random() FROM log",
        "SELECT gen_random_uuid() FROM log",
        "SELECT r FROM chance",
        "SELECT txid_current() FROM log",
    ),
    "now in a row": (
        "2.5",
        "SELECT word::timestamptz FROM log",
        "SELECT word::text::varchar::timestamptz FROM log",
        "SELECT CAST(word AS moment) FROM log",
        "SELECT timestamptz(word) FROM log",
        "SELECT (word || '')::timestamptz FROM log",
        "SELECT words::timestamptz[] FROM log",
        "SELECT words[1]::timestamptz FROM log",
        "SELECT w::timestamptz FROM log, unnest(words) AS w",
        "SELECT (doc ->> 'at')::timestamptz FROM log",
        "SELECT (old ->> 'at')::timestamptz FROM log",
        "SELECT (jsonb_populate_record(NULL::visit, doc)).at FROM log",
        "SELECT r.at FROM log, jsonb_to_record(doc) AS r(at timestamptz)",
        "SELECT ROW(word, 'x')::visit FROM log",
        "SELECT tstzrange(word::timestamptz, NULL) FROM log",
        "SELECT CASE WHEN id = 1 THEN word END::timestamptz FROM log",
    ),
    "now in a constant": (
        "2.5",
        "SELECT 'now'::timestamptz FROM log",
        "SELECT TIMESTAMPTZ 'NOW' FROM log",
        "SELECT E'n\\x6fw'::timestamptz FROM log",
        "SELECT U&'n\\006fw'::timestamptz FROM log",
        "SELECT $$now$$::timestamptz FROM log",
        "SELECT ' now '::text::timestamptz FROM log",
        "SELECT '{now}'::timestamptz[] FROM log",
        "SELECT ARRAY['now']::timestamptz[] FROM log",
        "SELECT ARRAY[at, 'now'] FROM log",
        "SELECT '[now,)'::tstzrange FROM log",
        "SELECT '{[now,)}'::tstzmultirange FROM log",
        "SELECT tstzrange('now', NULL) FROM log",
        "SELECT '(now,x)'::visit FROM log",
        "SELECT '(\"n\\ow\",x)'::visit FROM log",
        "SELECT ROW('now', 'x')::visit FROM log",
        "SELECT 'now'::moment FROM log",
        "SELECT coalesce(NULLIF(at, at), 'now') FROM log",
        "SELECT greatest(at, 'now') FROM log",
        "SELECT lag(at, 1, 'now') OVER () FROM log",
        "SELECT CASE id WHEN 2 THEN at ELSE 'now' END FROM log",
        "SELECT at - 'now' FROM log",
        "SELECT age('now', at) FROM log",
        "SELECT timezone('UTC', 'now'::timestamptz) FROM log",
        "SELECT max(at) FROM (SELECT at FROM log UNION SELECT 'now') x",
        "SELECT c.at FROM log, (VALUES ('now'::timestamptz)) AS c(at)",
        "WITH c AS (SELECT 'now' AS at) SELECT c.at::timestamptz FROM c, log",
    ),
    "views": (
        "2.3",
        "SELECT at FROM words",
        "SELECT at FROM clock",
        "SELECT at FROM clock_twice",
        "SELECT since FROM ages",
    ),
    "labels of users": (
        "2.4",
        "SELECT labelled_immutable() FROM log",
        "SELECT moment_of(log) FROM log",
        "SELECT log.moment_of FROM log",
        "SELECT (x).moment_of FROM (SELECT log AS x FROM log) y",
        "SELECT latest(id) FROM log",
        "SELECT id @@> word FROM log",
        "SELECT ROW(id)::box_of::timestamptz FROM log",
        "SELECT round(at) FROM log",
    ),
}


@pytest.fixture(scope="module")
def log(proxy: Proxy, cluster: Cluster) -> Generator[Place]:
    """One database for all of them: none changes anything."""
    database = Database(cluster, "moving_answers")
    database.create()
    database.execute(SCHEMA)
    yield Place(proxy, database)
    database.drop()


def _cases() -> list[object]:
    return [
        pytest.param(queries, marks=pytest.mark.soundness(section), id=hazard)
        for hazard, (section, *queries) in HAZARDS.items()
    ]


@pytest.mark.parametrize("queries", _cases())
def test_what_moves_by_itself_is_never_remembered(log: Place, queries: list[str]) -> None:
    with log.connect() as connection:
        answers = {query: [str(ask(connection, query)) for _ in range(3)] for query in queries}
    assert [query for query, told in answers.items() if len(set(told)) < 3] == []


@pytest.mark.soundness("2.5")
@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("SELECT %s::timestamptz, id FROM log", "now"),
        ("SELECT %b::timestamptz, id FROM log", "now"),
        ("SELECT %s::text::timestamptz, id FROM log", " NOW "),
        ("SELECT greatest(at, %s) FROM log", "now"),
        ("SELECT %s::timestamptz[], id FROM log", "{now}"),
        ("SELECT %b::timestamptz[], id FROM log", ["now"]),
        # In binary form the length of an element stands before it: 97 is an "a".
        ("SELECT %b::timestamptz[], id FROM log", ["now".ljust(97)]),
        ("SELECT %s::tstzrange, id FROM log", "[now,)"),
        ("SELECT %s::visit, id FROM log", '("n\\ow",x)'),
    ],
)
def test_a_parameter_that_moves_by_itself_is_never_remembered(
    log: Place, query: str, value: str | list[str]
) -> None:
    with log.connect() as connection:
        answers = [str(ask(connection, query, [value])) for _ in range(3)]
    assert len(set(answers)) == 3
