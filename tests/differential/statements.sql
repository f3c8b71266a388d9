-- What changes rows, tables and sessions, one statement a line; a line that begins with a blank goes on.

-- Their reach is proven by the parse tree and the catalogue: keys, triggers, partitions, views, rules.
-- [changes]
INSERT INTO star (id, name, class, magnitude, distance, visible, kind, born, noted, info, codes, spot)
  VALUES ({id_}, {text_}, {char_}, 1.5, {float_}, {bool_}, {mood_}, {date_}, {moment_}, {jsonb_}, {ints_},
  {place_}) ON CONFLICT (id) DO NOTHING
INSERT INTO star (id, name) VALUES ({id_}, {text_}) ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name,
  visible = NOT star.visible RETURNING id, name, visible
INSERT INTO star (id, name, heat, image, names, span, net, tag) VALUES ({id_}, {text_}, {real_}, {bytes_},
  {texts_}, {span_}, {inet_}, {uuid_}) RETURNING *
UPDATE star SET label = {varchar_}, period = {period_}, rises = {time_}, seen = {stamp_} WHERE id = {id_}
UPDATE star SET info = coalesce(info, '{{}}') || jsonb_build_object('n', {int_}) WHERE id IN ({id_}, {id_})
  RETURNING id, info
UPDATE star SET id = id + 20 WHERE id = {id_} AND NOT EXISTS (SELECT 1 FROM star t WHERE t.id = {id_} + 20)
DELETE FROM star WHERE id = {id_} RETURNING id, name
INSERT INTO planet (star_id, name, mass) VALUES ((SELECT min(id) FROM star), {text_}, {num_}) ON CONFLICT DO
  NOTHING RETURNING *
INSERT INTO planet (id, star_id, name, mass, found) SELECT {id_}, max(s.id), {text_} || {int_}::text,
  {num_}, {date_} FROM star s ON CONFLICT (id) DO UPDATE SET mass = EXCLUDED.mass + 1, found =
  EXCLUDED.found
UPDATE planet SET mass = mass + 1 WHERE star_id = {id_} RETURNING id, mass, twice
UPDATE planet AS p SET mass = s.id, name = p.name || '.' FROM star s WHERE s.id = p.star_id AND p.id = {id_}
UPDATE planet SET id = id + 30 WHERE id = {id_}
UPDATE lab.planet SET mass = {num_} WHERE id = {id_}
UPDATE planet SET name = {text_} WHERE id = {id_}
DELETE FROM planet WHERE id = {id_}
DELETE FROM planet AS p USING moon m WHERE m.planet_id = p.id AND m.size = {int_}
INSERT INTO moon (id, planet_id, size) VALUES ({id_}, NULL, {int_}) ON CONFLICT DO NOTHING
INSERT INTO moon VALUES ({id_}, {id_}, {text_}, {int_})
UPDATE moon SET planet_id = (SELECT max(id) FROM planet), size = {int_} WHERE id = {id_} RETURNING *
DELETE FROM moon WHERE id = {id_}
MERGE INTO moon m USING (VALUES ({id_}, {int_}), (99, 3)) v (id, size) ON m.id = v.id WHEN MATCHED AND
  v.size > 5 THEN DELETE WHEN MATCHED THEN UPDATE SET size = v.size WHEN NOT MATCHED THEN INSERT (id, name,
  size) VALUES (v.id, 'merged', v.size)
WITH gone AS (DELETE FROM moon WHERE size > 50 AND id = {id_} RETURNING *) INSERT INTO archive SELECT * FROM
  gone RETURNING id
WITH new AS (INSERT INTO archive VALUES ({id_}, NULL, {text_}, {int_}) RETURNING *) SELECT count(*) FROM new
INSERT INTO reading VALUES ({id_}, {date_}, {num_}) ON CONFLICT DO NOTHING
INSERT INTO reading_2025 VALUES ({id_}, '2025-07-01', {num_}) ON CONFLICT DO NOTHING RETURNING *
UPDATE reading SET day = '2024-05-05' WHERE id = {id_} AND day > '2024-12-31'
DELETE FROM reading_2024 WHERE id = {id_}
UPDATE reading SET amount = amount * 2 WHERE day = {date_}
INSERT INTO body VALUES ({id_}, {text_}, {int_})
INSERT INTO comet VALUES ({id_}, {text_}, {int_}, 1)
UPDATE body SET size = {int_} WHERE id = {id_}
UPDATE ONLY body SET name = {text_} WHERE id = {id_}
DELETE FROM comet WHERE id = {id_}
INSERT INTO gauge VALUES ({id_}, {int_}) ON CONFLICT (id) DO UPDATE SET level = EXCLUDED.level RETURNING *
UPDATE gauge SET level = level - 3 WHERE id = {id_}
INSERT INTO scratch VALUES ({id_}, {text_}, {int_}) ON CONFLICT (id) DO UPDATE SET size = scratch.size + 1
DELETE FROM scratch WHERE id = {id_}
INSERT INTO note VALUES ({id_}, current_user, {text_}) ON CONFLICT DO NOTHING
UPDATE note SET body = {text_} WHERE id = {id_}
UPDATE bright SET name = {text_} WHERE id = {id_}
DELETE FROM bright WHERE id = {id_} AND id > 6
SELECT tally({text_})
SELECT id, grow(id) FROM moon WHERE id = {id_}
SELECT quietly_grow({id_})
CALL rename_star({id_}, {text_})
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) UPDATE gauge SET level = level + 1 WHERE id = {id_}
SELECT nextval('counter')
SELECT setval('counter', {id_})

-- A query, and behind ;; a change of another relation that shows in it.
-- [far changes]
SELECT * FROM planet ORDER BY id ;; DELETE FROM star WHERE id = {id_}
SELECT * FROM planet ORDER BY id ;; UPDATE star SET id = id + 40 WHERE id = {id_}
SELECT name, mass FROM planet WHERE id = 2 ;;
  WITH gone AS (DELETE FROM star WHERE id = {id_} RETURNING *) TABLE gone
SELECT * FROM moon ORDER BY id ;; DELETE FROM star WHERE id = {id_}
SELECT * FROM moon ORDER BY id ;; DELETE FROM planet WHERE id = {id_} RETURNING id
SELECT * FROM moon ORDER BY id ;; UPDATE planet SET id = id + 60 WHERE id = {id_}
SELECT count(*), max(id) FROM log ;; INSERT INTO moon (id) VALUES ({id_}) ON CONFLICT DO NOTHING
SELECT count(*), max(id) FROM log ;; DELETE FROM moon WHERE id = {id_}
SELECT count(*), max(id) FROM log ;; DELETE FROM scratch WHERE id = {id_}
SELECT * FROM reading ORDER BY id, day ;; DELETE FROM reading_2024 WHERE id = {id_}
SELECT * FROM reading ORDER BY id, day ;; UPDATE reading_2025 SET amount = {num_}
SELECT * FROM reading_2025 ORDER BY id, day ;; UPDATE reading SET amount = amount + 1
SELECT * FROM reading_2025 ORDER BY id, day ;; UPDATE reading SET day = '2025-11-01' WHERE id = {id_}
SELECT count(*), sum(size) FROM body ;; UPDATE comet SET size = size + 1
SELECT count(*), sum(size) FROM body ;; INSERT INTO comet VALUES ({id_}, {text_}, {int_}, 2)
SELECT count(*), sum(size), sum(tail) FROM comet ;; UPDATE body SET size = size + 1
SELECT id, name FROM star ORDER BY id ;; UPDATE bright SET name = {text_}
SELECT id, name, kind FROM bright ORDER BY id ;; UPDATE star SET name = {text_} WHERE id = {id_}
SELECT * FROM system ORDER BY star, planet ;; UPDATE planet SET mass = mass + 1 WHERE id = {id_}
SELECT id, size FROM moon ORDER BY id ;; SELECT quietly_grow({id_})
SELECT id, name FROM star ORDER BY id ;; CALL rename_star({id_}, {text_})

-- Of unknown reach, committing by themselves, or several in one text: for the simple protocol only.
-- [texts]
DO $$ BEGIN UPDATE public.planet SET mass = 1 WHERE id = 3; END $$
DO $$ BEGIN PERFORM set_config('search_path', 'lab, public', false); END $$
CALL two_commits({id_})
UPDATE gauge SET level = 5 WHERE id = {id_}; SELECT * FROM gauge ORDER BY id
INSERT INTO log (word) VALUES ('a'); SELECT 1 / 0; INSERT INTO log (word) VALUES ('b')
BEGIN; UPDATE moon SET size = 1 WHERE id = {id_}; COMMIT; SELECT 1 / 0
BEGIN; DELETE FROM moon WHERE id = {id_}; ROLLBACK
SELECT id FROM planet ORDER BY id; SELECT count(*) FROM moon
SET LOCAL timezone = 'Asia/Tokyo'; SELECT noted FROM star ORDER BY id
PREPARE again (int) AS UPDATE planet SET mass = mass + 1 WHERE id = $1; EXECUTE again ({id_}); DEALLOCATE
  again
PREPARE reader (int) AS SELECT name FROM planet WHERE id = $1; EXECUTE reader ({id_}); DEALLOCATE ALL
COPY archive FROM PROGRAM 'true'
UPDATE gauge SET level = level + 1 WHERE id = {id_}; COMMIT; SELECT nosuch
/* empty */ ;
LISTEN news; NOTIFY news, 'hello'; UNLISTEN *

-- Each locks a table against readers, most change the catalogue; names may be missing, so that some fail.
-- [definitions]
TRUNCATE archive
TRUNCATE reading_2025
TRUNCATE scratch, log RESTART IDENTITY
CREATE TABLE extra (id int PRIMARY KEY, word text)
CREATE TABLE extra AS SELECT id, name AS word FROM planet ORDER BY id
DROP TABLE extra
DROP TABLE IF EXISTS extra
ALTER TABLE gauge ADD COLUMN added int DEFAULT 7
ALTER TABLE gauge DROP COLUMN added
ALTER TABLE moon ALTER COLUMN size TYPE bigint
ALTER TABLE moon ALTER COLUMN size TYPE int
ALTER TABLE archive RENAME COLUMN name TO title
ALTER TABLE archive RENAME COLUMN title TO name
CREATE INDEX planet_by_star ON planet (star_id)
DROP INDEX planet_by_star
CREATE OR REPLACE VIEW bright AS SELECT id, name, magnitude, kind FROM star WHERE NOT visible
CREATE OR REPLACE VIEW bright AS SELECT id, name, magnitude, kind FROM star WHERE visible
CREATE OR REPLACE FUNCTION twice(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 3'
CREATE OR REPLACE FUNCTION twice(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2'
CREATE TABLE lab.star AS SELECT * FROM public.star WHERE id < 4
DROP TABLE lab.star
ALTER TABLE reading DETACH PARTITION reading_2025
ALTER TABLE reading ATTACH PARTITION reading_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')
REFRESH MATERIALIZED VIEW heavy
REVOKE SELECT ON star FROM reader
GRANT SELECT ON star TO reader
ALTER TABLE note DISABLE ROW LEVEL SECURITY
ALTER TABLE note ENABLE ROW LEVEL SECURITY
ALTER TYPE mood ADD VALUE IF NOT EXISTS 'odd'
COMMENT ON TABLE planet IS 'round'
ANALYZE planet
ALTER TABLE moon DISABLE TRIGGER moon_moved
ALTER TABLE moon ENABLE TRIGGER moon_moved
CREATE TEMPORARY TABLE moon AS SELECT 1 AS id, 2 AS planet_id, 'temporary' AS name, 3 AS size
DROP TABLE pg_temp.moon

-- They shape answers.
-- [settings]
SET search_path = lab, public
SET search_path TO public
SET search_path TO DEFAULT
RESET search_path
SET timezone = 'America/New_York'
SET TIME ZONE 'Asia/Kolkata'
SET TIME ZONE INTERVAL '+02:30' HOUR TO MINUTE
RESET timezone
SET datestyle = 'SQL, DMY'
SET datestyle = 'German'
SET datestyle TO ISO, MDY
SET intervalstyle = 'iso_8601'
RESET intervalstyle
SET extra_float_digits = 0
SET extra_float_digits = -3
RESET extra_float_digits
SET bytea_output = 'escape'
SET bytea_output = hex
SELECT set_config('extra_float_digits', '-1', false)
SELECT set_config('timezone', 'Asia/Tokyo', false), set_config('bytea_output', 'escape', false)
SET ROLE reader
SET ROLE reader
RESET ROLE
SET SESSION AUTHORIZATION reader
RESET SESSION AUTHORIZATION
SET client_encoding = 'LATIN1'
RESET client_encoding
SET quote_all_identifiers = on
RESET ALL
DISCARD ALL

-- [other settings]
SELECT set_config('timezone', 'UTC', true)
SET LOCAL timezone = 'Asia/Tokyo'
SET ROLE NONE
SET ROLE nosuch
SET standard_conforming_strings = off
SET standard_conforming_strings = on
SET transform_null_equals = on
SET transform_null_equals = off
SET application_name = 'other'
SET work_mem = '8MB'
SET nosuch = 1
SET timezone = 'No/Where'
SET app.user = '7'
SHOW search_path
SHOW timezone
DISCARD PLANS
DISCARD TEMP
SET default_transaction_isolation = 'repeatable read'
SET default_transaction_read_only = on

-- In a transaction block only; most of it is undone with the block.
-- [inside]
SET LOCAL timezone = 'Europe/Paris'
SET LOCAL search_path = lab
SET LOCAL datestyle = 'Postgres, DMY'
SET bytea_output = 'escape'
SET LOCAL ROLE reader
SAVEPOINT one
SAVEPOINT two
ROLLBACK TO one
ROLLBACK TO SAVEPOINT two
RELEASE one
SELECT nosuch
SELECT pg_advisory_xact_lock(7)
DECLARE walk CURSOR FOR SELECT id, name FROM planet ORDER BY id
FETCH 2 FROM walk
CLOSE walk

-- The same, with locks that another writer would have to wait for.
-- [inside with locks]
SET CONSTRAINTS ALL DEFERRED
LOCK TABLE gauge IN SHARE MODE
SELECT * FROM moon WHERE id = {id_} FOR UPDATE
SELECT id FROM planet ORDER BY id LIMIT 2 FOR SHARE
INSERT INTO planet (id) VALUES (1)
DECLARE kept CURSOR WITH HOLD FOR SELECT id, grow(id) FROM moon ORDER BY id LIMIT 2
FETCH ALL FROM kept

-- [beginnings]
BEGIN
BEGIN
START TRANSACTION
BEGIN ISOLATION LEVEL READ COMMITTED
BEGIN ISOLATION LEVEL REPEATABLE READ
BEGIN; SET TRANSACTION ISOLATION LEVEL REPEATABLE READ
BEGIN READ ONLY
BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE

-- [endings]
COMMIT
COMMIT
END
ROLLBACK
ABORT
COMMIT AND CHAIN; COMMIT
ROLLBACK AND CHAIN; ROLLBACK

-- They fail in the parser, in the analyser, or at the first step.
-- [mistakes]
SELEC 1
SELECT * FROM nosuchtable
SELECT nosuch FROM planet
SELECT id FROM planet WHERE id = 'x'
SELECT 'unterminated
INSERT INTO planet (id, name) VALUES (1, 'twice')
INSERT INTO star (id, name) VALUES (1, NULL)
INSERT INTO moon VALUES (77, 4711)
SELECT 1 / 0 FROM planet
UPDATE gauge SET level = -1
SELECT id, name FROM planet GROUP BY id HAVING
COMMIT
ROLLBACK
SAVEPOINT outside
EXECUTE nosuch
FETCH nosuch
CLOSE nosuch
DEALLOCATE nosuch
SELECT * FROM star JOIN planet
DROP TABLE star
SELECT ambiguous.id, name FROM planet ambiguous JOIN moon ON true

-- [copies out]
COPY planet TO STDOUT
COPY planet (id, name) TO STDOUT (FORMAT csv, HEADER)
COPY (SELECT id, name, mass FROM planet ORDER BY id) TO STDOUT
COPY (SELECT * FROM star ORDER BY id) TO STDOUT (FORMAT binary)
COPY nosuch TO STDOUT
COPY (DELETE FROM archive RETURNING *) TO STDOUT

-- Their ORDER BY is total. {source} is FROM's list with a WHERE, {key} the order that leaves no rows tied.
-- [ordered queries]
SELECT {items} FROM {source} ORDER BY {key} {limit}
SELECT {items} FROM {source} ORDER BY {key} {limit}
SELECT {items} FROM {source} ORDER BY {key} DESC {limit}
SELECT {items} AS x, {windows} FROM {source} WINDOW w AS (PARTITION BY {group} ORDER BY {key}) ORDER BY {key}
SELECT {windows} FROM {source} WINDOW w AS (ORDER BY {key}) ORDER BY {key} {limit}
SELECT DISTINCT ON ({column}) {column} AS x, {items} FROM {source} ORDER BY {column}, {key}
SELECT * FROM {source} ORDER BY {key} {limit}
SELECT s.* FROM {source} ORDER BY {key} NULLS FIRST
SELECT s FROM {source} ORDER BY {key}
SELECT s.*, s.tableoid::regclass::text FROM {source} ORDER BY {key}
SELECT count(*) FROM {source}
SELECT {aggregates} FROM {source}
SELECT {aggregates} FROM {source}
SELECT * FROM planet WHERE id = {id_}
SELECT * FROM star WHERE id = {id_}
SELECT id, name, mass FROM planet WHERE id IN ({id_}, {id_}, {id_}) ORDER BY id
SELECT g.level FROM gauge g WHERE g.id = {id_}
SELECT (SELECT {text} FROM {source} ORDER BY {key} LIMIT 1) AS one,
  ARRAY(SELECT p.id FROM planet p ORDER BY p.id)
SELECT q.a, count(*) OVER (), q.b
  FROM (SELECT {int} AS a, {text} AS b FROM {source} ORDER BY {key} LIMIT 4) AS q ORDER BY q.a, q.b
WITH q AS MATERIALIZED (SELECT {int} AS a, {text} AS b FROM {source}) SELECT a, b FROM q ORDER BY a, b
VALUES ({int_}, {text_}), ({int_}, {text_}) ORDER BY 1, 2
WITH RECURSIVE t (n) AS (VALUES ({int_}) UNION ALL SELECT n + 1 FROM t WHERE n < 12)
  SELECT t.n, s.name FROM t LEFT JOIN planet s ON s.id = t.n ORDER BY t.n, s.id
WITH RECURSIVE t AS (SELECT id, star_id, 1 AS depth FROM planet WHERE id = {id_} UNION
  SELECT p.id, p.star_id, t.depth + 1 FROM planet p JOIN t ON p.id = t.star_id WHERE t.depth < 5)
  SELECT * FROM t ORDER BY depth, id
WITH RECURSIVE t (id, link) AS (SELECT 1, 2
  UNION ALL SELECT m.id, m.planet_id FROM moon m JOIN t ON m.id = t.link)
  CYCLE id SET is_cycle USING path SELECT id, link, is_cycle FROM t ORDER BY 1, 2, 3

-- Always the same texts, so that they are often in memory when something changes. Their order is total.
-- [telling]
SELECT id, name, heat, distance, image FROM star ORDER BY id
SELECT id, born, seen, noted, rises, period FROM star ORDER BY id
SELECT * FROM star WHERE id = 3
SELECT * FROM planet ORDER BY id
SELECT name, mass FROM planet WHERE id = 2
SELECT p.name, m.name, m.size FROM planet p LEFT JOIN moon m ON m.planet_id = p.id ORDER BY p.id, m.id
SELECT count(*), sum(size), max(planet_id) FROM moon
SELECT * FROM reading ORDER BY id, day
SELECT * FROM reading_2025 ORDER BY id, day
SELECT count(*), sum(size) FROM body
SELECT count(*), sum(tail) FROM comet
SELECT * FROM gauge ORDER BY id
SELECT * FROM scratch ORDER BY id
SELECT count(*), max(word) FROM log
SELECT count(*), max(id) FROM archive
SELECT id, name, kind FROM bright ORDER BY id
SELECT * FROM system ORDER BY star, planet
SELECT to_char(noted, 'DD Mon HH24:MI TZ') AS t, noted::date AS d FROM star ORDER BY id
SELECT * FROM note ORDER BY id

-- Likewise; what they show depends on settings, on the path and on the role.
-- [telling of settings]
SELECT * FROM star ORDER BY id
SELECT id, heat, distance, image, noted::text, noted::date, period FROM star ORDER BY id
SELECT * FROM planet ORDER BY id
SELECT * FROM moon ORDER BY id

-- The order of their rows is open.
-- [unordered queries]
SELECT DISTINCT {group} AS x FROM {source}
SELECT DISTINCT {group}, {group} FROM {source}
SELECT {group}, {group}, {aggregates} FROM {source} {grouping}
SELECT {group}, {group}, {aggregates} FROM {source} {grouping} HAVING count(*) > {int_}
SELECT {items} FROM {source}
SELECT {int}, {text} FROM {source} UNION SELECT {int}, {text} FROM {source}
SELECT {int}, {text} FROM {source} UNION ALL SELECT {int}, {text} FROM {source}
SELECT {int}, {text} FROM {source} INTERSECT SELECT {int}, {text} FROM {source}
SELECT {int} FROM {source} EXCEPT ALL SELECT {int} FROM {source}
WITH q AS (SELECT {int} AS a, {text} AS b, {num} AS c FROM {source}),
  r AS (SELECT a, count(*) FROM q GROUP BY a) SELECT * FROM q NATURAL JOIN r
WITH q AS NOT MATERIALIZED (SELECT {int} AS a, {num} AS c FROM {source}) SELECT a, sum(c) FROM q GROUP BY a
  HAVING sum(c) IS NOT NULL
SELECT * FROM moon WHERE planet_id = {id_}
