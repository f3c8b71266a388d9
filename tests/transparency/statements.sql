-- Each section is one conversation, played in both protocols on both sides; one statement a line.
-- A line that begins with "other: " is said by a second client. What begins with SELECT, TABLE, VALUES or WITH
-- is repeated until the memory answers it, as often as it may.

-- [errors of the parser]
SELEC 1
SELECT 'unterminated
SELECT "unterminated
SELECT 1 FROM
SELECT $1x
SELECT 'é', 'ü' FRM planet
SELECT E'\xZZ'
SELECT U&'\xyz'
/* open
SELECT 1 +
CREATE TABLE
INSERT INTO planet VALUE (1)
SELECT 1;;;; SELEC 2

-- [errors of the analyser]
SELECT nosuch FROM planet
SELECT 'é', nosuch FROM planet
SELECT planet.nosuch, id FROM planet
SELECT nam FROM planet
SELECT * FROM nosuch
SELECT * FROM nosuch.planet
SELECT * FROM nowhere.public.planet
SELECT nosuch(1)
SELECT length(1, 2)
SELECT id FROM planet JOIN moon ON true
SELECT id FROM planet WHERE id = 'x'
SELECT id FROM planet WHERE id = date '2020-01-01'
SELECT name, count(*) FROM planet
SELECT id FROM planet UNION SELECT name FROM planet
SELECT 1 FROM planet ORDER BY 3
SELECT count(*) OVER w FROM planet
SELECT lenght(name) FROM planet
SELECT sum(sum(id)) FROM planet
SELECT 99999999999999999999::int
SELECT current_setting('no.such')
SELECT 'a'::nosuch
SELECT (SELECT id, name FROM planet)
INSERT INTO planet (id, nosuch) VALUES (1, 2)
INSERT INTO planet (id) VALUES (1, 2)
UPDATE planet SET twice = 1
UPDATE planet SET nosuch = 1
SELECT id FROM planet WHERE $1 = 3 AND $3 = 1
DROP TABLE star
DROP TABLE nosuch
DROP FUNCTION twice(text)
ALTER TABLE planet ADD COLUMN name text
CREATE TABLE planet (id int)
GRANT SELECT ON planet TO nobody_at_all
SELECT nextval('nosuch')

-- [errors while rows are made]
SELECT 1 / 0
SELECT id, 1 / (id - 5) FROM planet ORDER BY id
SELECT 1 / (id - 5) FROM planet WHERE id = 5
SELECT ARRAY[1, 2, 3][1] / 0 FROM planet
SELECT name::int FROM planet ORDER BY id
SELECT ln(mass - mass) FROM planet ORDER BY id
SELECT length(repeat('x', 2000000000))
SELECT '{"a": }'::json
SELECT '2020-02-30'::date
SELECT to_date('x', 'YYYY')
SELECT (SELECT id FROM planet)
SELECT raw -> 'a' FROM star WHERE id = 1
SELECT substring(name, 1, -1) FROM planet WHERE id = 1
SELECT generate_series(1, 3, 0)
SELECT chr(0)
SELECT convert_from('\xff', 'UTF8')
SELECT 'x' ~ '('
SELECT power(10, 400)
SELECT 2147483647 + 1
SELECT -2147483648::smallint

-- [constraints name what they guard]
INSERT INTO planet (id, name) VALUES (1, 'twice')
INSERT INTO planet (id, name) VALUES (100, 'planet 1')
INSERT INTO star (id, name) VALUES (1000, NULL)
INSERT INTO moon VALUES (77, 4711)
INSERT INTO moon VALUES (78, NULL, 'big', 200000)
INSERT INTO gauge VALUES (99, -1)
UPDATE gauge SET level = 0 WHERE id = 1
DELETE FROM star WHERE id = 4711
INSERT INTO reading VALUES (1, NULL, 3)
INSERT INTO reading_2024 VALUES (1, '2025-01-01', 3)
INSERT INTO star (id, name, class) VALUES (1001, 'x', 'too long')
INSERT INTO star (id, name, magnitude) VALUES (1001, 'x', 1e9)
SELECT 5::positive, -5::int::positive
UPDATE planet SET twice = 3

-- [errors inside functions]
SELECT tally(NULL)
DO $$ BEGIN PERFORM 1 / 0; END $$
DO $$ BEGIN PERFORM nosuch; END $$
DO $$ BEGIN EXECUTE 'SELEC 1'; END $$
DO $$ BEGIN SELECT; END $$
DO $$ BEGIN x := 1; END $$
DO $$ DECLARE n int; BEGIN SELECT id INTO STRICT n FROM public.planet; END $$
DO LANGUAGE nosuch ''
CREATE FUNCTION failing(n int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1 / n; END $$
CREATE FUNCTION outer_failing(n int) RETURNS int LANGUAGE sql AS 'SELECT public.failing($1) + 1'
SELECT failing(0)
SELECT outer_failing(0)
SELECT id, failing(id - 3) FROM planet ORDER BY id
SELECT grow(1), nosuch
SELECT grow(1), 1 / 0
UPDATE gauge SET level = failing(0) WHERE id = 1
INSERT INTO log (word) SELECT failing(id - 2)::text FROM gauge
CREATE FUNCTION wrong() RETURNS int LANGUAGE sql AS 'SELECT nosuch'
CREATE FUNCTION wrong() RETURNS int LANGUAGE plpgsql AS 'BEGIN SELEC 1; END'
CALL rename_star(1, NULL)
DROP FUNCTION outer_failing, failing

-- [what a function raises, field by field]
DO $$ BEGIN RAISE EXCEPTION 'a %', 'b' USING ERRCODE = 'ORRRY', DETAIL = 'd', HINT = 'h', COLUMN = 'c',
  CONSTRAINT = 'k', DATATYPE = 't', TABLE = 'r', SCHEMA = 's'; END $$
DO $$ BEGIN RAISE unique_violation USING MESSAGE = ''; END $$
DO $$ BEGIN RAISE NOTICE 'one'; RAISE WARNING 'two' USING HINT = 'h'; RAISE INFO 'three'; RAISE DEBUG 'four'; END $$
SET client_min_messages = debug1
DO $$ BEGIN RAISE DEBUG 'five'; RAISE LOG 'six'; END $$
SET client_min_messages = error
DO $$ BEGIN RAISE WARNING 'seven'; END $$
DROP TABLE IF EXISTS nosuch
RESET client_min_messages
CREATE FUNCTION telling(n int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'n=%', n; RETURN n; END $$
SELECT telling(id) FROM planet ORDER BY id
SELECT telling(id), tally('told') FROM gauge WHERE id < 3 ORDER BY id
UPDATE gauge SET level = telling(level) WHERE id = 1
BEGIN
SELECT telling(1)
COMMIT
DROP FUNCTION telling

-- [notices and warnings]
DROP TABLE IF EXISTS nosuch
CREATE TABLE IF NOT EXISTS planet (id int)
BEGIN
BEGIN
COMMIT
COMMIT
ROLLBACK
SET LOCAL timezone = 'UTC'
SET CONSTRAINTS ALL DEFERRED
SELECT 1 AS an_identifier_that_is_longer_than_the_sixty_three_bytes_which_postgresql_keeps
CREATE TEMP TABLE an_identifier_that_is_longer_than_the_sixty_three_bytes_which_postgresql_keeps (id int)
DROP TABLE IF EXISTS pg_temp.an_identifier_that_is_longer_than_the_sixty_three_bytes_which_postgresql_keeps
VACUUM nosuch
UNLISTEN nothing
SELECT pg_advisory_unlock(123456)
GRANT SELECT ON planet TO postgres
REVOKE ALL ON planet FROM reader
GRANT SELECT ON planet TO reader

-- [command tags]
CREATE TABLE tagged (id int, word text)
CREATE UNIQUE INDEX tagged_by_id ON tagged (id)
INSERT INTO tagged VALUES (1, 'a'), (2, 'b'), (3, NULL)
INSERT INTO tagged SELECT 1, 'x' WHERE false
INSERT INTO tagged VALUES (1, 'z') ON CONFLICT (id) DO NOTHING
UPDATE tagged SET word = 'c' WHERE id > 1 RETURNING *
UPDATE tagged SET word = 'c' WHERE id > 100
DELETE FROM tagged WHERE id = 3
DELETE FROM tagged WHERE id = 3 RETURNING id
MERGE INTO tagged t USING (VALUES (1), (9)) v (id) ON t.id = v.id WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN
  INSERT VALUES (v.id, 'm')
SELECT * FROM tagged ORDER BY id
TABLE tagged
VALUES (1), (2)
WITH gone AS (DELETE FROM tagged RETURNING id) SELECT * FROM gone
SELECT word INTO copied FROM tagged
CREATE TABLE copied_again AS SELECT 1 AS one
CREATE VIEW tagged_view AS SELECT * FROM tagged
COMMENT ON TABLE tagged IS 'x'
LOCK TABLE tagged
ANALYZE tagged
VACUUM tagged
REINDEX TABLE tagged
CLUSTER tagged USING tagged_by_id
EXPLAIN (COSTS OFF) SELECT * FROM tagged
EXPLAIN (COSTS OFF, ANALYZE, TIMING OFF, SUMMARY OFF) DELETE FROM tagged
PREPARE p (int) AS SELECT $1 + 1
EXECUTE p (3)
EXECUTE p (NULL)
DEALLOCATE p
DEALLOCATE ALL
LISTEN news
UNLISTEN *
NOTIFY news
CHECKPOINT
TRUNCATE tagged
DROP VIEW tagged_view
DROP TABLE tagged, copied, copied_again
DISCARD ALL
SET work_mem = '5MB'
SHOW work_mem
SHOW ALL x
RESET work_mem
DO 'BEGIN END'
CALL rename_star(8, '')
SECURITY LABEL ON TABLE planet IS 'x'

-- [cursors]
DECLARE outside CURSOR FOR SELECT 1
BEGIN
DECLARE walk SCROLL CURSOR FOR SELECT id, name FROM planet ORDER BY id
FETCH walk
FETCH 2 FROM walk
FETCH BACKWARD 1 FROM walk
FETCH ABSOLUTE 5 FROM walk
MOVE 2 IN walk
FETCH ALL FROM walk
FETCH ALL FROM walk
MOVE ABSOLUTE 0 IN walk
FETCH FIRST FROM walk
SELECT name, is_scrollable, statement FROM pg_cursors ORDER BY name
UPDATE planet SET mass = mass WHERE CURRENT OF walk
CLOSE walk
CLOSE walk
ROLLBACK
BEGIN
DECLARE kept CURSOR WITH HOLD FOR SELECT id, name FROM planet ORDER BY id
DECLARE bin BINARY CURSOR FOR SELECT id, name FROM planet ORDER BY id
FETCH 1 FROM bin
COMMIT
UPDATE planet SET name = name || '!' WHERE id = 1
FETCH 2 FROM kept
FETCH 1 FROM bin
CLOSE ALL
UPDATE planet SET name = 'planet 1' WHERE id = 1

-- [settings and what is reported of them]
SHOW timezone
SET timezone = 'Asia/Tokyo'
SELECT noted FROM star ORDER BY id
SET datestyle = 'SQL, DMY'
SET intervalstyle = 'iso_8601'
SELECT noted, period FROM star ORDER BY id
SET application_name = 'seen'
SELECT application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()
SET standard_conforming_strings = off
SELECT 'a\\b' AS x, name FROM planet ORDER BY id
SET standard_conforming_strings = on
SET default_transaction_read_only = on
INSERT INTO log (word) VALUES ('x')
SET default_transaction_read_only = off
SET ROLE reader
SHOW is_superuser
SELECT current_user, session_user
SELECT count(*) FROM moon
RESET ROLE
SET SESSION AUTHORIZATION reader
SELECT current_user, session_user
RESET SESSION AUTHORIZATION
SET nosuch = 1
SET timezone = 'No/Where'
SET work_mem = 'lots'
SET statement_timeout = -5
SHOW nosuch
SET app.user = 'x'
SHOW app.user
SELECT current_setting('app.user'), name FROM planet ORDER BY id
RESET ALL
SHOW timezone
SHOW app.user
DISCARD ALL
SHOW server_version
SHOW server_version_num
SELECT version()

-- [settings and the end of a transaction]
BEGIN
SET timezone = 'Asia/Tokyo'
SAVEPOINT a
SET datestyle = 'German'
SELECT noted FROM star ORDER BY id
ROLLBACK TO a
SELECT noted FROM star ORDER BY id
ROLLBACK
SELECT noted FROM star ORDER BY id
BEGIN
SET LOCAL timezone = 'Asia/Tokyo'
SET intervalstyle = 'iso_8601'
SELECT noted, period FROM star ORDER BY id
COMMIT
SELECT noted, period FROM star ORDER BY id
BEGIN
SELECT set_config('timezone', 'Europe/Paris', true)
SELECT set_config('datestyle', 'SQL', false)
SELECT noted FROM star ORDER BY id
COMMIT
SELECT noted FROM star ORDER BY id
BEGIN
SET ROLE reader
SELECT current_user FROM planet WHERE id = 1
ROLLBACK
SELECT current_user FROM planet WHERE id = 1
BEGIN; SET LOCAL timezone = 'UTC'; SELECT 1 / 0
ROLLBACK
SET timezone = 'Asia/Tokyo'; SELECT 1 / 0
SHOW timezone
CREATE FUNCTION elsewhere() RETURNS text LANGUAGE sql SET timezone = 'Europe/Paris' AS 'SELECT now()::text'
SELECT length(elsewhere()) > 0
DROP FUNCTION elsewhere()
RESET ALL

-- [transactions]
BEGIN
SELECT nosuch
SELECT id FROM planet ORDER BY id
SAVEPOINT x
COMMIT
START TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY
INSERT INTO log (word) VALUES ('x')
ROLLBACK
BEGIN
SAVEPOINT a
INSERT INTO planet (id, name) VALUES (1, 'x')
ROLLBACK TO a
RELEASE a
ROLLBACK TO a
END
SAVEPOINT outside
ROLLBACK TO outside
RELEASE outside
COMMIT AND CHAIN
BEGIN
COMMIT AND CHAIN
SELECT 1
ROLLBACK AND CHAIN
ABORT
PREPARE TRANSACTION 'nothing'
COMMIT PREPARED 'nosuch'
BEGIN
VACUUM
ROLLBACK
BEGIN
CREATE DATABASE inside
ROLLBACK
BEGIN ISOLATION LEVEL REPEATABLE READ
SELECT count(*) FROM log
SET TRANSACTION ISOLATION LEVEL READ COMMITTED
ROLLBACK
SET default_transaction_isolation = 'serializable'
SHOW transaction_isolation
SELECT id FROM planet ORDER BY id
RESET default_transaction_isolation
SET default_transaction_deferrable = on
RESET ALL

-- [deferred constraints]
CREATE TABLE parent (id int PRIMARY KEY)
CREATE TABLE child (id int REFERENCES parent DEFERRABLE INITIALLY DEFERRED)
INSERT INTO child VALUES (1)
SELECT count(*) FROM child
BEGIN
INSERT INTO child VALUES (2)
SELECT count(*) FROM child
COMMIT
SELECT count(*) FROM child
BEGIN
INSERT INTO child VALUES (2)
SET CONSTRAINTS ALL IMMEDIATE
ROLLBACK
DROP TABLE child, parent

-- [two clients and one row]
SET lock_timeout = '50ms'
other: BEGIN
other: UPDATE gauge SET level = level + 1 WHERE id = 1
UPDATE gauge SET level = level + 2 WHERE id = 1
SELECT * FROM gauge WHERE id = 1 FOR UPDATE NOWAIT
SELECT * FROM gauge WHERE id = 1
other: SELECT * FROM gauge WHERE id = 1
other: COMMIT
SELECT * FROM gauge WHERE id = 1
BEGIN ISOLATION LEVEL REPEATABLE READ
SELECT * FROM gauge WHERE id = 1
other: UPDATE gauge SET level = level - 1 WHERE id = 1
other: SELECT * FROM gauge WHERE id = 1
SELECT * FROM gauge WHERE id = 1
UPDATE gauge SET level = 9 WHERE id = 1
ROLLBACK
SELECT * FROM gauge WHERE id = 1
RESET lock_timeout

-- [timeouts]
SET statement_timeout = '30ms'
SELECT pg_sleep(1)
SELECT id, pg_sleep(1) FROM planet
UPDATE gauge SET level = 3 + length(pg_sleep(1)::text)
BEGIN
SELECT pg_sleep(1)
ROLLBACK
SELECT id FROM planet ORDER BY id
RESET statement_timeout

-- [rights]
SET ROLE reader
SELECT * FROM planet ORDER BY id
SELECT * FROM moon ORDER BY id
SELECT * FROM note ORDER BY id
INSERT INTO planet (id) VALUES (500)
UPDATE planet SET name = 'x' WHERE id = 1
CREATE TABLE lab.forbidden (id int)
DROP TABLE planet
TRUNCATE planet
ALTER TABLE planet ADD COLUMN x int
SET ROLE postgres
SELECT pg_read_file('PG_VERSION')
COPY planet TO '/nowhere'
SET ROLE reader
CREATE ROLE forbidden
RESET ROLE
SELECT * FROM note ORDER BY id

-- [empty queries and odd texts]

;
;;
/* nothing */
-- nothing
SELECT
SELECT FROM planet
SELECT FROM planet WHERE id = 1
SELECT ''
SELECT '' AS "", NULL AS "a b", 'é☄' AS "é☄"
SELECT name, '' AS empty, NULL AS nothing FROM planet ORDER BY id
SELECT 1 -- comment
SELECT /* a /* nested */ comment */ 1
SELECT 1;
SELECT id FROM planet ORDER BY id;
select   id   from planet order by id
SELECT id, id, id FROM planet ORDER BY id

-- [types and descriptions]
SELECT * FROM star ORDER BY id
SELECT s FROM star s ORDER BY id
SELECT id, name, mass, twice, found FROM planet ORDER BY id
SELECT id AS renamed, name || '' AS computed, mass::numeric(10, 2) FROM planet ORDER BY id
SELECT class, label, magnitude, label::varchar(3), class::char(1), seen::timestamp(0) FROM star ORDER BY id
SELECT count(*), sum(id), avg(id), max(name), array_agg(id ORDER BY id), string_agg(name, ',' ORDER BY id) FROM planet
SELECT level, kind, level::positive FROM gauge ORDER BY id
SELECT * FROM system ORDER BY star, planet
SELECT * FROM bright ORDER BY id
SELECT * FROM heavy ORDER BY star_id
SELECT * FROM reading ORDER BY id, day
SELECT tableoid, tableoid::regclass, ctid FROM reading ORDER BY id, day
SELECT p.*, m.* FROM planet p LEFT JOIN moon m ON m.planet_id = p.id ORDER BY p.id, m.id
SELECT row(id, name), ARRAY[spot], codes, names, info, raw, span, net FROM star ORDER BY id
SELECT NULL, NULL::text, 'unknown', ARRAY[]::int[], '{}'::int[]
SELECT 1::bit(3), B'101', 'a'::"char", 'x'::name, 1::oid, 1.5::money, '1 day'::interval day
SELECT '(1,2)'::point, '<a/>'::text, '1/2'::pg_lsn, '08:00:2b:01:02:03'::macaddr, 'a & b'::tsquery
SELECT 'NaN'::float8, 'Infinity'::float8, '-0'::float8, 1e300::float8, 'NaN'::numeric
SELECT DISTINCT star_id FROM planet ORDER BY star_id DESC NULLS LAST
SELECT * FROM generate_series(1, 3) AS g (n) ORDER BY n DESC
SELECT * FROM planets_of(2)

-- [names that are prepared in SQL]
PREPARE one AS SELECT id, name FROM planet ORDER BY id
PREPARE one AS SELECT 1
EXECUTE one
PREPARE two (int, text) AS SELECT id, $2 FROM planet WHERE id = $1
EXECUTE two (1, 'x')
EXECUTE two (1)
EXECUTE two ('a', 'x')
EXECUTE nosuch
SELECT name, statement, parameter_types, from_sql FROM pg_prepared_statements WHERE from_sql ORDER BY name
ALTER TABLE planet ADD COLUMN extra int
EXECUTE one
PREPARE three AS SELECT * FROM planet ORDER BY id
EXECUTE three
ALTER TABLE planet DROP COLUMN extra
EXECUTE three
SET search_path = lab, public
EXECUTE one
EXECUTE two (1, 'x')
RESET search_path
EXECUTE two (1, 'x')
PREPARE writing (int) AS UPDATE gauge SET level = level + 1 WHERE id = $1 RETURNING *
SELECT * FROM gauge ORDER BY id
EXECUTE writing (2)
SELECT * FROM gauge ORDER BY id
EXPLAIN (COSTS OFF) EXECUTE two (1, 'x')
DEALLOCATE nosuch
DEALLOCATE ALL
EXECUTE one

-- [temporary tables]
SELECT id, name FROM planet ORDER BY id
CREATE TEMP TABLE planet AS SELECT 1 AS id, 'temporary' AS name
SELECT id, name FROM planet ORDER BY id
other: SELECT id, name FROM planet ORDER BY id
SELECT id, name FROM public.planet ORDER BY id
DISCARD TEMP
SELECT id, name FROM planet ORDER BY id
BEGIN
CREATE TEMP TABLE planet (id int) ON COMMIT DROP
SELECT * FROM planet ORDER BY id
COMMIT
SELECT id, name FROM planet ORDER BY id
CREATE TEMP TABLE child_body () INHERITS (body)
INSERT INTO child_body VALUES (99, 'x', 1)
SELECT count(*) FROM body
DROP TABLE pg_temp.child_body
SELECT count(*) FROM body

-- [large objects by function]
SELECT lo_create(700001)
SELECT lo_from_bytea(700002, '\x00112233')
SELECT lo_get(700002)
SELECT lo_put(700002, 1, '\xff')
SELECT lo_get(700002, 0, 2)
BEGIN
SELECT lo_open(700002, 393216)
SELECT lowrite(0, '\xaabb')
SELECT lo_lseek(0, 0, 0)
SELECT loread(0, 10)
SELECT lo_tell(0)
SELECT lo_truncate(0, 1)
SELECT lo_close(0)
COMMIT
SELECT lo_get(700002)
SELECT lo_open(700099, 262144)
SELECT lo_unlink(700001), lo_unlink(700002)
SELECT lo_unlink(700001)

-- [encodings]
SET client_encoding = 'LATIN1'
SHOW client_encoding
SELECT name FROM star ORDER BY id
SELECT '☄'
RESET client_encoding
SET client_encoding = 'SQL_ASCII'
SELECT name FROM star ORDER BY id
SET client_encoding = 'EUC_JP'
SELECT name FROM star ORDER BY id
SELECT name FROM planet ORDER BY id
SET client_encoding = 'nosuch'
SET NAMES 'WIN1252'
SELECT name FROM star ORDER BY id
SET client_encoding TO DEFAULT
SELECT name FROM star ORDER BY id

-- [the catalogue as clients see it]
SELECT relname, relkind FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'star'::regclass AND attnum > 0
  ORDER BY attnum
SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'planet' ORDER BY table_schema, 1
SELECT current_database() LIKE '%', current_schema, current_user, inet_server_port() > 0
SELECT datname IS NOT NULL, usename, application_name, state, wait_event_type FROM pg_stat_activity
  WHERE pid = pg_backend_pid()
SELECT count(*) FROM pg_stat_activity WHERE application_name = 'unheard of'
SELECT name, setting FROM pg_settings WHERE name IN ('server_version', 'max_connections', 'lc_collate') ORDER BY 1
SELECT txid_current_if_assigned() IS NULL, pg_is_in_recovery()
SELECT pg_typeof(1), pg_typeof('a'), pg_typeof(now())

-- [ordered rows]
SELECT id, name FROM planet ORDER BY name DESC, id
SELECT id, name FROM planet ORDER BY mass DESC NULLS FIRST, id LIMIT 3 OFFSET 1
SELECT id FROM moon ORDER BY planet_id NULLS FIRST, id DESC
SELECT id FROM planet ORDER BY id FETCH FIRST 2 ROWS WITH TIES
SELECT name COLLATE "C" FROM star ORDER BY name COLLATE "C" DESC
(SELECT id FROM planet ORDER BY id LIMIT 2) UNION ALL (SELECT id FROM moon ORDER BY id DESC LIMIT 2)
