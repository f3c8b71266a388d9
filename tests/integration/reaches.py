"""Writes that hide: each is one statement (or string of them) that adds to ``log`` in a way no name in it tells.

``writes()`` and ``sneaky(int)``, which claims to be immutable, add a row each; so does the trigger ``note()``.
"""

# ruff: noqa: E501 - statements stand as they are sent
from __future__ import annotations

from typing import Final, NamedTuple


class Case(NamedTuple):
    """``setup`` is run beforehand, in a schema for all cases with the same, ``fill`` before each;
    ``read`` must show what ``write`` did.
    """

    write: str
    setup: str = ""
    read: str = "SELECT count(*) FROM log"
    fill: str = ""


PRELUDE: Final = """
CREATE TABLE planets (id int PRIMARY KEY, name text NOT NULL DEFAULT 'X');
INSERT INTO planets VALUES (1, 'Mercury'), (2, 'Venus'), (3, 'Mars');
CREATE TABLE log (entry text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS
  $$ BEGIN INSERT INTO log VALUES (TG_OP); RETURN coalesce(NEW, OLD); END $$;
CREATE FUNCTION writes() RETURNS int LANGUAGE sql SET search_path FROM CURRENT AS
  $$ INSERT INTO log VALUES ('w') RETURNING 1 $$;
CREATE FUNCTION sneaky(int) RETURNS int LANGUAGE plpgsql IMMUTABLE SET search_path FROM CURRENT AS
  $$ BEGIN PERFORM writes(); RETURN $1; END $$;
CREATE FUNCTION agrees(int) RETURNS bool LANGUAGE plpgsql IMMUTABLE SET search_path FROM CURRENT AS
  $$ BEGIN PERFORM writes(); RETURN true; END $$
"""

# A function may stand wherever an expression may.
PLACES: Final = (
    "SELECT id FROM planets LIMIT writes()",
    "SELECT id FROM planets OFFSET writes()",
    "SELECT sum(id) OVER (ROWS BETWEEN writes() PRECEDING AND CURRENT ROW) FROM planets",
    "SELECT sum(id) OVER w FROM planets WINDOW w AS (PARTITION BY writes())",
    "SELECT count(*) FILTER (WHERE writes() = 1) FROM planets",
    "SELECT id FROM planets ORDER BY writes()",
    "SELECT 1 FROM planets GROUP BY writes()",
    "SELECT 1 FROM planets GROUP BY GROUPING SETS ((writes()), ())",
    "SELECT 1 FROM planets HAVING count(*) > writes()",
    "SELECT DISTINCT ON (writes()) 1 FROM planets",
    "VALUES (writes())",
    "SELECT * FROM (VALUES (writes())) x, planets",
    "SELECT * FROM planets, writes() x",
    "SELECT * FROM planets, ROWS FROM (writes(), generate_series(1, 2)) x",
    "SELECT * FROM planets, LATERAL (SELECT writes()) x",
    "SELECT * FROM planets TABLESAMPLE bernoulli (writes())",
    "SELECT a.id FROM planets a JOIN planets b ON a.id = writes()",
    "SELECT ARRAY[writes()] FROM planets",
    "SELECT (ARRAY[1, 2])[writes()] FROM planets",
    "SELECT ROW(writes()) FROM planets",
    "SELECT id FROM planets WHERE id IN (7, writes())",
    "SELECT id FROM planets WHERE id = ANY (ARRAY[writes()])",
    "SELECT id FROM planets WHERE id BETWEEN 0 AND writes()",
    "SELECT id FROM planets WHERE id IS DISTINCT FROM writes()",
    "SELECT id FROM planets WHERE name LIKE writes()::text",
    "SELECT id FROM planets WHERE EXISTS (SELECT FROM planets WHERE writes() = 1)",
    "SELECT CASE id WHEN writes() THEN 1 END FROM planets",
    "SELECT coalesce(writes(), 2), greatest(1, writes()), nullif(writes(), 1) FROM planets",
    "SELECT now() AT TIME ZONE make_interval(hours => writes()) FROM planets",
    "SELECT concat(VARIADIC ARRAY[writes()]) FROM planets",
    "SELECT json_build_object('a', writes()) FROM planets",
    "SELECT JSON_OBJECT('a': writes()), JSON_ARRAY(writes()) FROM planets",
    "SELECT percentile_cont(0.5 * writes()) WITHIN GROUP (ORDER BY id) FROM planets",
    "SELECT array_agg(id ORDER BY writes()) FROM planets",
    "SELECT 1 FROM planets UNION ALL SELECT writes()",
    "WITH x AS MATERIALIZED (SELECT writes()) SELECT * FROM planets, x",
    "WITH RECURSIVE x(n) AS (SELECT writes() UNION ALL SELECT n + writes() FROM x WHERE n < 3) TABLE x",
    "SELECT set_config('a.b', writes()::text, false)",
    "INSERT INTO planets VALUES (7 + writes(), 'x')",
    "INSERT INTO planets VALUES (4, 'x') RETURNING writes()",
    "INSERT INTO planets VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET name = writes()::text",
    "INSERT INTO planets VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET name = 'y' WHERE writes() = 1",
    "UPDATE planets SET name = 'z' FROM (SELECT writes() AS w) x WHERE x.w = 1",
    "UPDATE planets SET (name) = (SELECT writes()::text)",
    "DELETE FROM planets USING writes() w WHERE w = 2",
    "MERGE INTO planets USING (SELECT writes() AS i) s ON id = i WHEN MATCHED THEN DO NOTHING",
    "MERGE INTO planets USING (SELECT 1 AS i) s ON id = i AND writes() = 1 WHEN MATCHED THEN DO NOTHING",
    "MERGE INTO planets USING (SELECT 1 AS i) s ON id = i WHEN MATCHED AND writes() = 1 THEN DO NOTHING",
    "MERGE INTO planets USING (SELECT 9 AS i) s ON id = i WHEN NOT MATCHED THEN INSERT VALUES (9, writes()::text)",
    "COPY (SELECT writes() FROM planets) TO '/dev/null'",
    "PREPARE p AS SELECT writes(); EXECUTE p",
    "PREPARE p (int) AS SELECT id FROM planets WHERE id = $1; EXECUTE p(writes())",
    "DECLARE c CURSOR WITH HOLD FOR SELECT writes()",
    "BEGIN; DECLARE c CURSOR FOR SELECT writes(); FETCH c; COMMIT",
    "BEGIN; DECLARE c CURSOR FOR SELECT writes(); MOVE c; COMMIT",
    "CREATE TEMP TABLE t AS SELECT writes()",
    "CREATE TABLE made AS SELECT writes()",
    "CREATE MATERIALIZED VIEW kept AS SELECT writes()",
    "SELECT writes() INTO TEMP t FROM planets",
    "EXPLAIN ANALYZE SELECT writes()",
    "EXPLAIN SELECT id FROM planets WHERE id = sneaky(1)",
    "DO 'BEGIN PERFORM writes(); END'",
)

_GUARDED: Final = "CREATE DOMAIN guarded AS int CHECK (agrees(VALUE)); CREATE TYPE pair AS (x guarded);"
_OF_GUARDED: Final = "(SELECT t.oid FROM pg_type t WHERE t.oid = '{}'::regtype)"

# What PostgreSQL evaluates by itself: defaults, checks, indexes, statistics, domains.
STORED: Final = {
    "default": Case("INSERT INTO t VALUES (1)", "CREATE TABLE t (id int, x int DEFAULT writes())"),
    "default in UPDATE": Case(
        "UPDATE t SET x = DEFAULT",
        "CREATE TABLE t (id int, x int DEFAULT writes()); INSERT INTO t VALUES (1, 1)",
    ),
    "default of a view": Case(
        "INSERT INTO v (id) VALUES (1)",
        "CREATE TABLE t (id int, x int); CREATE VIEW v AS TABLE t; ALTER VIEW v ALTER x SET DEFAULT writes()",
    ),
    "default by a foreign key": Case(
        "DELETE FROM planets WHERE id = 2",
        "CREATE TABLE t (id int DEFAULT sneaky(1) REFERENCES planets ON DELETE SET DEFAULT); INSERT INTO t VALUES (2)",
    ),
    "generated column": Case(
        "INSERT INTO t VALUES (1)", "CREATE TABLE t (id int, x int GENERATED ALWAYS AS (sneaky(id)) STORED)"
    ),
    "check": Case("INSERT INTO t VALUES (1)", "CREATE TABLE t (id int CHECK (agrees(id)))"),
    "index": Case("INSERT INTO t VALUES (1)", "CREATE TABLE t (id int); CREATE INDEX ON t (sneaky(id))"),
    "partial index": Case(
        "INSERT INTO t VALUES (1)", "CREATE TABLE t (id int); CREATE INDEX ON t (id) WHERE agrees(id)"
    ),
    "partition key": Case(
        "INSERT INTO t VALUES (1)",
        "CREATE TABLE t (id int) PARTITION BY LIST (sneaky(id)); CREATE TABLE t1 PARTITION OF t DEFAULT",
    ),
    "exclusion": Case(
        "INSERT INTO t VALUES (1)", "CREATE TABLE t (id int, EXCLUDE USING btree (sneaky(id) WITH =))"
    ),
    "statistics at ANALYZE": Case("ANALYZE planets", "CREATE STATISTICS s ON (sneaky(id)) FROM planets"),
    "BRIN at VACUUM": Case(
        "VACUUM t",
        """CREATE TABLE t (id int); CREATE INDEX ON t USING brin (sneaky(id)) WITH (pages_per_range = 1);
           INSERT INTO t SELECT generate_series(1, 500); DELETE FROM log""",
    ),
    "partial BRIN at VACUUM": Case(
        "VACUUM t",
        """CREATE TABLE t (id int); CREATE INDEX ON t USING brin (id) WITH (pages_per_range = 1) WHERE agrees(id);
           INSERT INTO t SELECT generate_series(1, 500); DELETE FROM log""",
    ),
    "bound of a partition": Case(
        "CREATE TABLE t1 PARTITION OF t FOR VALUES IN (sneaky(1))",
        "CREATE TABLE t (id int) PARTITION BY LIST (id)",
    ),
    "column type": Case("ALTER TABLE planets ALTER id TYPE int USING sneaky(id)"),
    "new column": Case("ALTER TABLE planets ADD COLUMN x int DEFAULT writes()"),
    "new check": Case("ALTER TABLE planets ADD CHECK (agrees(id))"),
    "validated check": Case(
        "ALTER TABLE planets VALIDATE CONSTRAINT c",
        "ALTER TABLE planets ADD CONSTRAINT c CHECK (agrees(id)) NOT VALID",
    ),
    "refresh": Case(
        "REFRESH MATERIALIZED VIEW m", "CREATE MATERIALIZED VIEW m AS SELECT writes() WITH NO DATA"
    ),
    "reindex": Case(
        "REINDEX TABLE t",
        "CREATE TABLE t (id int); CREATE INDEX ON t (sneaky(id)); INSERT INTO t VALUES (1); DELETE FROM log",
    ),
    "cluster": Case(
        "CLUSTER t USING i",
        "CREATE TABLE t (id int); CREATE INDEX i ON t (sneaky(id)); INSERT INTO t VALUES (1); DELETE FROM log",
    ),
    "vacuum full": Case(
        "VACUUM FULL t",
        "CREATE TABLE t (id int); CREATE INDEX ON t (sneaky(id)); INSERT INTO t VALUES (1); DELETE FROM log",
    ),
    "new index": Case("CREATE INDEX ON planets (sneaky(id))"),
    "virtual column of a row": Case(
        "SELECT planets.tell FROM planets",
        "CREATE FUNCTION tell(planets) RETURNS int LANGUAGE sql AS 'SELECT writes()'",
    ),
    **{
        f"domain: {write}": Case(write, _GUARDED + setup)
        for write, setup in (
            ("SELECT id::guarded FROM planets", ""),
            ("SELECT guarded(id) FROM planets", ""),
            ("SELECT ARRAY[id]::guarded[] FROM planets", ""),
            ("SELECT ROW(3)::pair", ""),
            ("PREPARE p (guarded) AS SELECT $1; EXECUTE p(3)", ""),
            ("INSERT INTO t VALUES (3)", "CREATE TABLE t (y guarded)"),
            ("INSERT INTO t (y.x) VALUES (3)", "CREATE TABLE t (y pair)"),
            ("INSERT INTO t (y[1]) VALUES (3)", "CREATE TABLE t (y guarded[])"),
            ("INSERT INTO t VALUES (4)", "CREATE DOMAIN over AS guarded; CREATE TABLE t (y over)"),
            (
                "INSERT INTO t VALUES ('[1,2]')",
                "CREATE TYPE span AS RANGE (subtype = guarded); CREATE TABLE t (y span)",
            ),
            (
                "INSERT INTO t VALUES ('(1)')",
                "CREATE TYPE c AS (x int); CREATE DOMAIN d AS c CHECK (agrees((VALUE).x)); CREATE TABLE t (y d)",
            ),
            ("""SELECT * FROM json_to_record('{"x": 3}') AS r (x guarded)""", ""),
            (
                """SELECT (json_populate_record(t, '{"y": 3}')).y FROM t""",
                "CREATE TABLE t (y guarded); INSERT INTO t VALUES (1)",
            ),
            (
                """SELECT r FROM t, jsonb_populate_recordset(t, '[{"y": 3}]') r""",
                "CREATE TABLE t (y guarded); INSERT INTO t VALUES (1)",
            ),
            (
                f"SELECT id FROM planets WHERE domain_in('5', {_OF_GUARDED.format('guarded')}, -1) IS NOT NULL",
                "",
            ),
            (f"SELECT array_in('{{5}}', {_OF_GUARDED.format('guarded')}, -1)::text", ""),
            (f"SELECT record_in('(5)', {_OF_GUARDED.format('pair')}, -1)::text", ""),
            ("SELECT pg_input_is_valid('5', 'guarded')", ""),
            ("SELECT * FROM pg_input_error_info('5', 'guarded')", ""),
        )
    },
}

_CAST: Final = """CREATE TYPE mood AS ENUM ('calm', 'stormy');
CREATE FUNCTION {name}({source}) RETURNS {target} LANGUAGE plpgsql IMMUTABLE SET search_path FROM CURRENT AS
  $$ BEGIN PERFORM writes(); RETURN {value}; END $$;
CREATE CAST ({source} AS {target}) WITH FUNCTION {name}({source}) {context};"""
_UNASKED: Final = _CAST.format(name="rank", source="mood", target="int", value=1, context="AS IMPLICIT")
_ASKED: Final = _CAST.format(name="rank", source="mood", target="int", value=1, context="")
_STORED_AS: Final = _CAST.format(
    name="to_mood", source="int", target="mood", value="'calm'", context="AS ASSIGNMENT"
)
_EQUAL: Final = """CREATE FUNCTION same(bigint, numeric) RETURNS bool LANGUAGE plpgsql IMMUTABLE SET search_path FROM CURRENT AS
  $$ BEGIN PERFORM writes(); RETURN true; END $$; CREATE OPERATOR = (LEFTARG = bigint, RIGHTARG = numeric, FUNCTION = same);
"""
# Code that no name tells of: casts made unasked, and the = that is not printed.
HIDDEN: Final = {
    **{
        f"cast: {setup}": Case("INSERT INTO t DEFAULT VALUES", f"{_UNASKED} {setup}")
        for setup in (
            "CREATE TABLE t (m mood DEFAULT 'calm' CHECK (m = 1))",
            "CREATE TABLE t (m mood DEFAULT 'calm' CHECK (m::int > 0))",
            "CREATE TABLE t (x text DEFAULT lpad('xx', 'calm'::mood))",
            "CREATE TABLE t (x text DEFAULT (ARRAY['a', 'b'])['calm'::mood])",
            "CREATE TABLE t (x interval DEFAULT make_interval(days => 'calm'::mood))",
            "CREATE DOMAIN d AS mood CHECK (VALUE = 1); CREATE TABLE t (x d DEFAULT 'calm')",
            "CREATE TABLE t (m mood DEFAULT 'calm'); CREATE INDEX ON t ((m + 1))",
            "CREATE TABLE t (m mood DEFAULT 'calm') PARTITION BY LIST ((m + 1)); CREATE TABLE t1 PARTITION OF t DEFAULT",
            "CREATE TABLE t (m mood DEFAULT 'calm' CHECK (CASE m WHEN 1 THEN true ELSE false END))",
        )
    },
    "explicit cast": Case(
        "INSERT INTO t DEFAULT VALUES", f"{_ASKED} CREATE TABLE t (m mood DEFAULT 'calm' CHECK (m::int > 0))"
    ),
    "explicit cast of a domain": Case(
        "INSERT INTO t DEFAULT VALUES",
        f"{_ASKED} CREATE DOMAIN d AS int; CREATE TABLE t (m mood DEFAULT 'calm' CHECK (m::d > 0))",
    ),
    "explicit cast of elements": Case(
        "INSERT INTO t DEFAULT VALUES",
        f"{_ASKED} CREATE TABLE t (m mood[] DEFAULT '{{calm}}' CHECK (m::int[] IS NOT NULL))",
    ),
    **{
        f"assignment: {write}": Case(write, f"{_STORED_AS} {setup}")
        for write, setup in (
            ("INSERT INTO t VALUES (ARRAY[1, 2])", "CREATE TABLE t (m mood[])"),
            ("UPDATE t SET m[1] = 3", "CREATE TABLE t (m mood[]); INSERT INTO t VALUES (NULL)"),
            ("INSERT INTO t (c.m) VALUES (1)", "CREATE TYPE holder AS (m mood); CREATE TABLE t (c holder)"),
            (
                "UPDATE t SET c.m = 1",
                "CREATE TYPE holder AS (m mood); CREATE TABLE t (c holder); INSERT INTO t VALUES (NULL)",
            ),
            ("INSERT INTO t VALUES (1)", "CREATE DOMAIN d AS mood; CREATE TABLE t (m d)"),
            ("INSERT INTO t VALUES (ARRAY[1])", "CREATE DOMAIN d AS mood[]; CREATE TABLE t (m d)"),
        )
    },
    **{
        f"equality: {check}": Case(
            "INSERT INTO t VALUES (1, 2)",
            f"{_EQUAL} CREATE TABLE t (id bigint, n numeric, CHECK ({check}))",
        )
        for check in (
            "CASE id WHEN n THEN true ELSE false END",
            "nullif(id, n) IS NULL",
            "NOT (id IS DISTINCT FROM n)",
        )
    },
    "equality in a view": Case(
        "SELECT * FROM v",
        f"""{_EQUAL} CREATE TABLE t (id bigint, n numeric); INSERT INTO t VALUES (1, 2);
            CREATE VIEW v AS SELECT nullif(id, n) FROM t""",
    ),
    "equality in a view's DELETE": Case(
        "DELETE FROM v",
        f"""{_EQUAL} CREATE TABLE t (id bigint, n numeric); INSERT INTO t VALUES (1, 2);
            CREATE VIEW v AS SELECT id FROM t WHERE nullif(id, n) IS NULL""",
    ),
    "cast in a subscript": Case(
        "SELECT (ARRAY[1, 2])[m] FROM t", f"{_UNASKED} CREATE TABLE t (m mood); INSERT INTO t VALUES ('calm')"
    ),
    "cast of a foreign key": Case(
        "INSERT INTO t VALUES ('calm')",
        f"{_UNASKED} CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1); CREATE TABLE t (m mood REFERENCES p)",
    ),
    "cast of a foreign key behind another": Case(
        "DELETE FROM s",
        f"""{_UNASKED} CREATE TABLE s (id bigint PRIMARY KEY); INSERT INTO s VALUES (2);
            CREATE TABLE p (id int PRIMARY KEY, s bigint REFERENCES s ON DELETE CASCADE);
            INSERT INTO p VALUES (1, NULL), (2, 2);
            CREATE TABLE t (m mood REFERENCES p); INSERT INTO t VALUES ('calm'); DELETE FROM log""",
    ),
    **{
        f"cast of an argument of EXECUTE, {context}": Case(
            "EXECUTE p('calm'::mood)",
            _CAST.format(name="rank", source="mood", target="int", value=1, context=context),
            fill="PREPARE p (int) AS SELECT id FROM planets WHERE id = $1",
        )
        for context in ("AS IMPLICIT", "AS ASSIGNMENT")
    },
    "cast of a named argument": Case("SELECT make_interval(days => 'calm'::mood)", _UNASKED),
    "cast of a domain's value": Case(
        "SELECT m + 1 FROM t",
        f"{_UNASKED} CREATE DOMAIN d AS mood; CREATE TABLE t (m d); INSERT INTO t VALUES ('calm')",
    ),
}
_STRANGE: Final = """CREATE FUNCTION compared(int, int) RETURNS int LANGUAGE plpgsql IMMUTABLE SET search_path FROM CURRENT AS
  $$ BEGIN PERFORM writes(); RETURN btint4cmp($1, $2); END $$;
CREATE FUNCTION hashed(int, bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE SET search_path FROM CURRENT AS
  $$ BEGIN PERFORM writes(); RETURN $1; END $$;
CREATE OPERATOR CLASS strange FOR TYPE int USING btree AS
  OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 compared(int, int);
CREATE OPERATOR CLASS stranger FOR TYPE int USING hash AS OPERATOR 1 =, FUNCTION 2 hashed(int, bigint);
"""
# What only reads a table may run code of users' while it is planned, and where it looks into an index.
PLANNED: Final = {
    **{
        made: Case("SELECT id FROM t WHERE id = 5", f"CREATE TABLE t (id int); {made}")
        for made in (
            "CREATE INDEX ON t (id) WHERE sneaky(1) = 1",
            "CREATE INDEX ON t ((id + sneaky(1)))",
            "ALTER TABLE t ADD EXCLUDE USING btree (id WITH =) WHERE (sneaky(1) = 1)",
            "CREATE TABLE heir (CHECK (id > sneaky(1))) INHERITS (t)",
            "CREATE STATISTICS s ON (id + sneaky(1)), id FROM t; INSERT INTO t VALUES (5); ANALYZE t",
        )
    },
    **{
        f"{write} beside another": Case(
            write,
            """CREATE TABLE t (id int PRIMARY KEY, u int REFERENCES t ON DELETE CASCADE);
               CREATE INDEX ON t (id) WHERE sneaky(1) = 1""",
        )
        for write in ("DELETE FROM t WHERE false", "TABLE t", "EXPLAIN TABLE t")
    },
    "a cascade": Case(
        "DELETE FROM t",
        """CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (t int REFERENCES t ON DELETE CASCADE);
           CREATE INDEX ON u (t) WHERE sneaky(1) = 1; INSERT INTO t VALUES (1); INSERT INTO u VALUES (1); DELETE FROM log""",
    ),
    "the key of partitions": Case(
        "SELECT id FROM t WHERE id = 5",
        "CREATE TABLE t (id int) PARTITION BY LIST ((id + sneaky(1))); CREATE TABLE t1 PARTITION OF t DEFAULT",
    ),
}
# A class of operators that a user made for a type of PostgreSQL's own.
CLASSES: Final = {
    "the class of an index": Case(
        "SELECT id FROM t WHERE id = 5",
        f"""{_STRANGE} CREATE TABLE t (id int); INSERT INTO t SELECT generate_series(1, 5000);
            CREATE INDEX ON t (id strange); ANALYZE t; DELETE FROM log""",
    ),
    "the class of a range": Case(
        "SELECT id FROM t WHERE id = 5",
        f"""{_STRANGE} CREATE TABLE t (id int) PARTITION BY RANGE (id strange);
            CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (1) TO (10);
            CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (10) TO (20)""",
    ),
    "the class of a hash": Case(
        "SELECT id FROM t WHERE id = 5",
        f"""{_STRANGE} CREATE TABLE t (id int) PARTITION BY HASH (id stranger);
            CREATE TABLE t1 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 0);
            CREATE TABLE t2 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 1)""",
    ),
}

_LESS: Final = """
CREATE FUNCTION {name}(pair, pair) RETURNS {result} LANGUAGE plpgsql IMMUTABLE SET search_path FROM CURRENT AS
  $$ BEGIN PERFORM writes(); RETURN {body}; END $$;"""
_COMPARISONS: Final = {"<": "lt", "<=": "le", "=": "eq", ">=": "ge", ">": "gt"}
# A type whose values are put in order by a user's functions.
_ORDERED: Final = "".join(
    (
        "CREATE TYPE pair AS (a int);",
        *(
            _LESS.format(name=f"pair_{name}", result="bool", body=f"($1).a {sign} ($2).a")
            for sign, name in _COMPARISONS.items()
        ),
        _LESS.format(name="pair_cmp", result="int", body="($1).a - ($2).a"),
        *(
            f"CREATE OPERATOR {sign} (LEFTARG = pair, RIGHTARG = pair, FUNCTION = pair_{name});"
            for sign, name in _COMPARISONS.items()
        ),
        "CREATE OPERATOR CLASS pairs DEFAULT FOR TYPE pair USING btree AS",
        "".join(f" OPERATOR {at} {sign}," for at, sign in enumerate(_COMPARISONS, 1)),
        " FUNCTION 1 pair_cmp(pair, pair);",
        "CREATE TABLE t (x pair); INSERT INTO t SELECT row(g)::pair FROM generate_series(1, 9) g;",
    )
)
# PostgreSQL has no order of points; a user's is the default for what is inside arrays and rows.
_POINTS: Final = """
CREATE FUNCTION far(point, point) RETURNS bool LANGUAGE plpgsql IMMUTABLE SET search_path FROM CURRENT AS
  $$ BEGIN PERFORM writes(); RETURN $1[0] = $2[0]; END $$;
CREATE FUNCTION far_hash(point) RETURNS int LANGUAGE plpgsql IMMUTABLE SET search_path FROM CURRENT AS
  $$ BEGIN PERFORM writes(); RETURN 1; END $$;
CREATE OPERATOR = (LEFTARG = point, RIGHTARG = point, FUNCTION = far);
CREATE OPERATOR CLASS points DEFAULT FOR TYPE point USING hash AS OPERATOR 1 =, FUNCTION 1 far_hash(point);
"""
ORDERED: Final = {
    **{
        write: Case(write, _ORDERED)
        for write in (
            "ANALYZE t",
            "CREATE INDEX ON t (x)",
            "SELECT x FROM t ORDER BY x",
            "SELECT DISTINCT x FROM t",
            "SELECT count(DISTINCT x) FROM t",
            "SELECT max(ARRAY[x]) FROM t",
            "SELECT rank() OVER (ORDER BY x) FROM t",
            "SELECT 1 FROM t a, t b WHERE ARRAY[a.x] = ARRAY[b.x]",
            "SELECT 1 FROM t a, t b WHERE ROW(a.x, 1) < ROW(b.x, 1)",
            "SELECT 1 FROM t a, t b WHERE a = b",
            "SELECT 1 FROM t a JOIN t b USING (x)",
            "TABLE t UNION TABLE t",
            "UPDATE t SET x = x WHERE t IN (SELECT t FROM t)",
            "TABLE t EXCEPT ALL TABLE t",
            "TABLE t INTERSECT ALL TABLE t",
            "SELECT array_eq(ARRAY[x], ARRAY[x]) FROM t",
            "SELECT arrayoverlap(ARRAY[x], ARRAY[x]) FROM t",
            "SELECT btarraycmp(ARRAY[x], ARRAY[x]) FROM t",
            "SELECT array_larger(ARRAY[x], ARRAY[x]) FROM t",
            "SELECT record_eq(ROW(x), ROW(x)) FROM t",
            "SELECT record_lt(t, t) FROM t",
            "SELECT nullif(ROW(x), ROW(x)) FROM t",
        )
    },
    **{
        f"{write}: {setup}": Case(write, f"{_ORDERED} {setup}")
        for write, setup in (
            ("INSERT INTO u SELECT ARRAY[x] FROM t", "CREATE TABLE u (y pair[] UNIQUE)"),
            (
                "INSERT INTO u SELECT ROW(x)::w FROM t",
                "CREATE TYPE w AS (p pair); CREATE TABLE u (y w PRIMARY KEY)",
            ),
            (
                "INSERT INTO u SELECT ARRAY[x] FROM t",
                "CREATE DOMAIN d AS pair[]; CREATE TABLE u (y d UNIQUE)",
            ),
            ("INSERT INTO u SELECT ARRAY[x] FROM t", "CREATE TABLE u (y pair[] CHECK (y = y))"),
            ("INSERT INTO u SELECT x FROM t", "CREATE TABLE u (y pair CHECK (ARRAY[y] IN (ARRAY[y])))"),
            (
                "INSERT INTO u SELECT x FROM t",
                "CREATE TABLE u (y pair); CREATE INDEX ON u ((ARRAY[y] = ARRAY[y]))",
            ),
            (
                "INSERT INTO u VALUES (1)",
                "CREATE TABLE u (y int CHECK (ARRAY[ROW(y)::pair] = ARRAY[ROW(y)::pair]))",
            ),
            (
                "INSERT INTO u VALUES (1)",
                "CREATE TABLE u (y int, z bool DEFAULT ARRAY['(1)'::pair] = ARRAY['(1)'::pair])",
            ),
            (
                "INSERT INTO u VALUES ('(1,2)')",
                f"{_POINTS} CREATE TABLE u (y point CHECK (ARRAY[y] = ARRAY[y]))",
            ),
            (
                "DELETE FROM u",
                """CREATE TABLE u (y pair[] PRIMARY KEY); CREATE TABLE v (y pair[] REFERENCES u ON DELETE CASCADE);
                   INSERT INTO u SELECT ARRAY[x] FROM t; INSERT INTO v TABLE u; DELETE FROM log""",
            ),
        )
    },
    "foreign key": Case(
        "DELETE FROM p",
        _ORDERED
        + """CREATE TABLE p (x pair PRIMARY KEY); CREATE TABLE q (x pair REFERENCES p ON DELETE CASCADE);
             INSERT INTO p TABLE t; INSERT INTO q TABLE t; DELETE FROM log""",
    ),
}

_KINGDOM: Final = """
CREATE TABLE suns (id int PRIMARY KEY); CREATE TABLE worlds (id int PRIMARY KEY, sun int DEFAULT 2 REFERENCES suns ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE moons (id int PRIMARY KEY, world int REFERENCES worlds ON DELETE CASCADE ON UPDATE SET NULL);
CREATE TABLE craters (id int, moon int REFERENCES moons ON DELETE SET NULL);
"""
_PEOPLED: Final = """
TRUNCATE suns CASCADE; INSERT INTO suns VALUES (1), (2); INSERT INTO worlds VALUES (1, 1), (2, 1);
INSERT INTO moons VALUES (1, 1), (2, 2); INSERT INTO craters VALUES (1, 1), (2, 2)
"""
_CRATERS: Final = "SELECT count(moon) FROM craters"
_EVENTS: Final = """
CREATE TABLE events (id int, at int) PARTITION BY RANGE (at);
CREATE TABLE early PARTITION OF events FOR VALUES FROM (0) TO (10) PARTITION BY LIST (at);
CREATE TABLE first PARTITION OF early FOR VALUES IN (1); CREATE TABLE others PARTITION OF early DEFAULT;
CREATE TABLE late PARTITION OF events FOR VALUES FROM (10) TO (20);
CREATE TABLE spare (id int, at int); INSERT INTO spare VALUES (3, 25);
CREATE VIEW seen AS TABLE events;
"""
_HELD: Final = "TRUNCATE events; INSERT INTO events VALUES (1, 1), (2, 12)"
_FAMILY: Final = """
CREATE TABLE base (id int); CREATE TABLE child (x int) INHERITS (base); CREATE TABLE grandchild () INHERITS (child);
"""
_BORN: Final = "TRUNCATE base; INSERT INTO base VALUES (1); INSERT INTO child VALUES (2); INSERT INTO grandchild VALUES (3)"


def _count(table: str) -> str:
    return f"SELECT count(*), sum(id) FROM {table}"


# Where a write arrives in other tables than the one it names.
CLOSURE: Final = {
    **{
        f"keys: {write}": Case(write, _KINGDOM, read, _PEOPLED)
        for write, read in (
            ("DELETE FROM suns WHERE id = 1", _CRATERS),
            ("TRUNCATE suns CASCADE", "SELECT count(*) FROM craters"),
            ("UPDATE suns SET id = 3 WHERE id = 1", "SELECT sun FROM worlds ORDER BY id"),
            ("UPDATE worlds SET id = id + 10", "SELECT world FROM moons ORDER BY id"),
            ("WITH gone AS (DELETE FROM suns RETURNING id) SELECT * FROM gone", _CRATERS),
            ("MERGE INTO suns USING (SELECT 1 AS i) s ON id = i WHEN MATCHED THEN DELETE", _CRATERS),
            (
                "INSERT INTO suns VALUES (1) ON CONFLICT (id) DO UPDATE SET id = 9",
                "SELECT sun FROM worlds ORDER BY id",
            ),
            ("COPY (DELETE FROM suns RETURNING id) TO '/dev/null'", _CRATERS),
            ("EXPLAIN ANALYZE DELETE FROM suns", _CRATERS),
            ("PREPARE p AS DELETE FROM suns; EXECUTE p", _CRATERS),
            ("CREATE TEMP TABLE t AS WITH gone AS (DELETE FROM suns RETURNING id) TABLE gone", _CRATERS),
            ("TRUNCATE moons RESTART IDENTITY CASCADE", "SELECT count(*) FROM craters"),
        )
    },
    **{
        f"partitions: {write}": Case(write, _EVENTS, read, _HELD)
        for write, read in (
            ("INSERT INTO events VALUES (4, 1)", _count("first")),
            ("INSERT INTO first VALUES (4, 1)", _count("events")),
            ("INSERT INTO first VALUES (4, 1)", _count("seen")),
            ("INSERT INTO seen VALUES (4, 15)", _count("late")),
            ("UPDATE events SET at = 15 WHERE id = 1", _count("late")),
            ("UPDATE early SET at = 2", _count("others")),
            ("UPDATE seen SET at = 1", _count("first")),
            ("DELETE FROM early", _count("events")),
            ("DELETE FROM ONLY first", _count("events")),
            ("TRUNCATE early", _count("seen")),
            (
                "MERGE INTO events USING (SELECT 1 AS i) s ON id = i WHEN MATCHED THEN UPDATE SET at = 13",
                _count("late"),
            ),
            ("ALTER TABLE events ATTACH PARTITION spare FOR VALUES FROM (20) TO (30)", _count("events")),
            ("DROP TABLE first", _count("events")),
            ("ALTER TABLE events DETACH PARTITION late", _count("seen")),
        )
    },
    **{
        f"inheritance: {write}": Case(write, _FAMILY, read, _BORN)
        for write, read in (
            ("UPDATE base SET id = 7", _count("grandchild")),
            ("UPDATE grandchild SET id = 8", _count("base")),
            ("INSERT INTO child VALUES (4)", _count("base")),
            ("DELETE FROM ONLY child", _count("base")),
            ("TRUNCATE base", _count("grandchild")),
            ("ALTER TABLE child NO INHERIT base", _count("base")),
        )
    },
}
# Each is alone in its schema: a trigger or a rule is all that makes it write.
TRIGGERED: Final = {
    f"trigger: {made}": Case(write, f"CREATE TABLE t (id int PRIMARY KEY, x int); INSERT INTO t VALUES (1, 1); {made}")
    for write, made in (
        ("UPDATE t SET x = 2", "CREATE TRIGGER a AFTER UPDATE ON t EXECUTE FUNCTION note()"),
        ("UPDATE t SET x = 2 WHERE false", "CREATE TRIGGER b BEFORE UPDATE OF x ON t EXECUTE FUNCTION note()"),
        ("UPDATE t SET x = 2", "CREATE TRIGGER c AFTER UPDATE ON t FOR EACH ROW WHEN (agrees(NEW.x)) EXECUTE FUNCTION note()"),
        ("TRUNCATE t", "CREATE TRIGGER d AFTER TRUNCATE ON t EXECUTE FUNCTION note()"),
        ("UPDATE t SET x = 2", "CREATE CONSTRAINT TRIGGER e AFTER UPDATE ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note()"),
        ("UPDATE t SET x = 2", "CREATE TRIGGER f AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION note(); ALTER TABLE t ENABLE ALWAYS TRIGGER f"),
        (
            "BEGIN; SET LOCAL session_replication_role = replica; UPDATE t SET x = 2; COMMIT",
            "CREATE TRIGGER g AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION note(); ALTER TABLE t ENABLE REPLICA TRIGGER g",
        ),
        (
            "ALTER TABLE t ENABLE TRIGGER h; UPDATE t SET x = 2",
            "CREATE TRIGGER h AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION note(); ALTER TABLE t DISABLE TRIGGER h",
        ),
        ("UPDATE v SET x = 2", "CREATE VIEW v AS TABLE t; CREATE TRIGGER i INSTEAD OF UPDATE ON v FOR EACH ROW EXECUTE FUNCTION note()"),
        ("DELETE FROM t", "CREATE RULE j AS ON DELETE TO t DO ALSO INSERT INTO log VALUES ('r')"),
        ("UPDATE v SET x = 2", "CREATE VIEW v AS TABLE t; CREATE RULE k AS ON UPDATE TO v DO INSTEAD INSERT INTO log VALUES ('r')"),
        ("DELETE FROM t", "CREATE TABLE u (id int REFERENCES t ON DELETE CASCADE); INSERT INTO u VALUES (1); CREATE TRIGGER l AFTER DELETE ON u FOR EACH ROW EXECUTE FUNCTION note()"),
        ("INSERT INTO p VALUES (1)", "CREATE TABLE p (id int) PARTITION BY LIST (id); CREATE TABLE p1 PARTITION OF p DEFAULT; CREATE TRIGGER m AFTER INSERT ON p1 FOR EACH ROW EXECUTE FUNCTION note()"),
        ("BEGIN; SET CONSTRAINTS ALL DEFERRED; UPDATE t SET x = 3; SET CONSTRAINTS ALL IMMEDIATE; COMMIT", "CREATE CONSTRAINT TRIGGER n AFTER UPDATE ON t DEFERRABLE FOR EACH ROW EXECUTE FUNCTION note()"),
        ("MERGE INTO t USING (SELECT 1 AS i) s ON id = i WHEN MATCHED THEN UPDATE SET x = 5", "CREATE TRIGGER o AFTER UPDATE ON t EXECUTE FUNCTION note()"),
    )
}  # fmt: skip
