"""Code of users' that no name in a statement tells of: casts made unasked, and operators that views leave out.

Each function here claims to be immutable and reads the table ``ranks``: who remembers an answer that went
through it gives a wrong one as soon as ``ranks`` has changed.
"""

# ruff: noqa: E501 - statements stand as they are sent
from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.integration.place import Place, ask, remember
from tests.postgres import Database

if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.integration.proxy import Proxy
    from tests.postgres import Cluster

pytestmark = [pytest.mark.postgres, pytest.mark.soundness("2.4")]

_READS: Final = "LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN (SELECT {} FROM public.ranks); END $$"
SCHEMA: Final = f"""
CREATE TABLE ranks (r bigint); INSERT INTO ranks VALUES (1);
CREATE TYPE mood AS ENUM ('calm', 'stormy');
CREATE DOMAIN weather AS mood;
CREATE DOMAIN number AS int;
CREATE FUNCTION rank_of(mood) RETURNS int {_READS.format("r")};
CREATE CAST (mood AS int) WITH FUNCTION rank_of(mood) AS IMPLICIT;
CREATE FUNCTION name_of(int) RETURNS text {_READS.format("'name ' || r")};
CREATE CAST (int AS text) WITH FUNCTION name_of(int) AS IMPLICIT;
CREATE FUNCTION same(int, numeric) RETURNS bool {_READS.format("r % 2 = 1")};
CREATE OPERATOR = (LEFTARG = int, RIGHTARG = numeric, FUNCTION = same);
CREATE FUNCTION reads_as(text, date) RETURNS bool {_READS.format("r % 2 = 1")};
CREATE OPERATOR = (LEFTARG = text, RIGHTARG = date, FUNCTION = reads_as);
CREATE FUNCTION alike(int, point) RETURNS bool {_READS.format("r % 2 = 1")};
CREATE OPERATOR = (LEFTARG = int, RIGHTARG = point, FUNCTION = alike);
CREATE FUNCTION date_bin(stride interval, at timestamp, origin timestamp) RETURNS text {_READS.format("r::text")};
CREATE DOMAIN sort AS text;
CREATE FUNCTION alike(sort, sort) RETURNS bool {_READS.format("r % 2 = 1")};
CREATE OPERATOR = (LEFTARG = sort, RIGHTARG = sort, FUNCTION = alike);
CREATE OPERATOR < (LEFTARG = sort, RIGHTARG = sort, FUNCTION = alike);
CREATE TYPE light AS ENUM ('red', 'blue');
CREATE DOMAIN glow AS light;
CREATE FUNCTION before(glow, glow) RETURNS bool {_READS.format("r % 2 = 1")};
CREATE OPERATOR < (LEFTARG = glow, RIGHTARG = glow, FUNCTION = before);
CREATE DOMAIN several AS int[];
CREATE FUNCTION misses(int, several) RETURNS bool {_READS.format("r % 2 = 1")};
CREATE OPERATOR <> (LEFTARG = int, RIGHTARG = several, FUNCTION = misses);
CREATE TABLE skies (
  day date DEFAULT '2020-01-01', light light DEFAULT 'red', glow glow DEFAULT 'red', several several DEFAULT '{{1}}', s sort DEFAULT 'a', id int, m mood, w weather, n number, m_s mood[], w_s weather[], digits int[], doc jsonb, name text, part numeric,
  place point);
INSERT INTO skies VALUES ('2020-01-01', 'red', 'red', '{{1}}', 'a', 1, 'calm', 'calm', 1, '{{calm}}', '{{calm}}', '{{10,20,30,40}}',
  '{{"name 1": 5, "name 2": 6, "name 3": 7}}', 'name 1', 1, '(1,2)');
CREATE VIEW by_case AS SELECT CASE id WHEN part THEN 'yes' ELSE 'no' END FROM skies;
CREATE VIEW by_case_alone AS SELECT CASE id WHEN place THEN 'yes' ELSE 'no' END FROM skies;
CREATE VIEW by_nullif AS SELECT nullif(id, part) FROM skies;
CREATE VIEW by_distinct AS SELECT id IS DISTINCT FROM part FROM skies;
CREATE VIEW by_not_distinct AS SELECT id IS NOT DISTINCT FROM place FROM skies;
CREATE VIEW by_using AS SELECT count(*) FROM (SELECT id FROM skies) a JOIN (SELECT part AS id FROM skies) b USING (id);
CREATE VIEW by_natural AS SELECT count(*) FROM (SELECT id FROM skies) a NATURAL JOIN (SELECT part AS id FROM skies) b;
CREATE VIEW by_row AS SELECT ROW(id, 1) IS DISTINCT FROM ROW(part, 1) FROM skies;
CREATE VIEW over_view AS SELECT * FROM by_case;
"""

CASTS: Final = (
    "SELECT ROW(id, 1) IS DISTINCT FROM ROW(part, 1) FROM skies",
    "SELECT digits[m] FROM skies",
    "SELECT digits[w] FROM skies",
    "SELECT digits[m:m] FROM skies",
    "SELECT (ARRAY[1, 2, 3, 4])[m] FROM skies",
    "SELECT doc[m] FROM skies",
    "SELECT doc #> ARRAY[id] FROM skies",
    "SELECT doc #> ARRAY[n] FROM skies",
    "SELECT jsonb_extract_path(doc, n) FROM skies",
    "SELECT jsonb_extract_path(doc, VARIADIC ARRAY[id]) FROM skies",
    "SELECT make_interval(days => m) FROM skies",
    "SELECT make_interval(days => w) FROM skies",
    "SELECT lpad(name, m) FROM skies",
    "SELECT date_bin(stride => '1 day', at => day::timestamp, origin => day::timestamp) FROM skies",
    "SELECT lpad(name, w) FROM skies",
    "SELECT lpad(name, (ROW(m)).f1) FROM skies",
    "SELECT substring(name FROM w) FROM skies",
    "SELECT upper(n) FROM skies",
    "SELECT string_agg(n, ',') FROM skies",
    "SELECT w + 1 FROM skies",
    "SELECT id = w FROM skies",
    "SELECT id IN (w) FROM skies",
    "SELECT w IN (1, 7) FROM skies",
    "SELECT id = ANY (w_s) FROM skies",
    "SELECT id = ALL (SELECT w FROM skies) FROM skies",
    "SELECT id BETWEEN w AND 1 FROM skies",
    "SELECT (id, name) = (w, name) FROM skies",
    "SELECT ROW(id, 1) < ROW(w, 1) FROM skies",
    "SELECT CASE w WHEN 1 THEN 'yes' END FROM skies",
    "SELECT nullif(name, n) FROM skies",
    "SELECT name LIKE n FROM skies",
    "SELECT sum(w) FROM skies",
    "SELECT lag(id, w, 99) OVER (ORDER BY id) FROM skies",
)
# An operator for a domain itself is found before those of what it rests on.
DOMAINS: Final = (
    "SELECT s = 'x' FROM skies",
    "SELECT 'x' < s FROM skies",
    "SELECT s = NULL FROM skies",
    "SELECT s = ANY ('{a}') FROM skies",
    "SELECT CASE s WHEN 'a' THEN 1 END FROM skies",
    "SELECT nullif(s, 'a') FROM skies",
    "SELECT s IS DISTINCT FROM 'a' FROM skies",
    "SELECT light < glow FROM skies",
    "SELECT glow < light FROM skies",
    "SELECT id <> ANY (ARRAY[several]) FROM skies",
    "SELECT ARRAY[digits]::text[] FROM skies",
    "SELECT CASE '2020-01-01' WHEN day THEN 1 END FROM skies",
    "SELECT CASE NULL WHEN day THEN 1 END FROM skies",
)
VIEWS: Final = (
    "by_case", "by_case_alone", "by_nullif", "by_distinct", "by_not_distinct", "by_using", "by_natural", "by_row", "over_view"
)  # fmt: skip


@pytest.fixture(scope="module")
def skies(proxy: Proxy, cluster: Cluster) -> Generator[Place]:
    """One database for all of them."""
    database = Database(cluster, "hidden_code")
    database.create()
    database.execute(SCHEMA)
    yield Place(proxy, database)
    database.drop()


@pytest.mark.parametrize("query", [*CASTS, *DOMAINS, *(f"TABLE {view}" for view in VIEWS)])
def test_an_answer_that_went_through_a_users_function_follows_what_that_reads(
    skies: Place, query: str
) -> None:
    with skies.connect() as reader, skies.connect() as writer:
        for _ in range(3):
            ask(reader, query)
        ask(writer, "UPDATE ranks SET r = r % 3 + 1")
        assert ask(reader, query) == skies.direct(query)


def test_an_index_over_what_a_users_function_makes_of_a_column_hides_nothing(skies: Place) -> None:
    skies.direct("CREATE TABLE clouds (id int); CREATE INDEX ON clouds (name_of(id))")
    with skies.connect() as reader:
        remember(reader, "SELECT id FROM clouds")
