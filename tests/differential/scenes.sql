-- Scenes: a query, and behind each ;; something that may change what it shows, to be looked at by two clients.
-- The changes undo each other. "other: " is said by the second client, "COPY ... << data" carries its data, and
-- "name = value" is a setting, in one of the ways in which settings are changed. {k} is one number in the whole
-- scene, {m} the same one or another. A line that begins with a blank goes on.

-- [settings]
SELECT count(*), max(name) FROM planet ;; search_path = lab
SELECT id, noted FROM star ORDER BY id ;; timezone = Asia/Tokyo
SELECT id, noted::text AS t, noted::date AS d FROM star ORDER BY id ;; timezone = America/New_York
SELECT id, extract(hour FROM noted) AS h FROM star ORDER BY id ;; timezone = Asia/Kolkata
SELECT id, born, seen, noted FROM star ORDER BY id ;; datestyle = SQL, DMY
SELECT id, born::text AS t, to_jsonb(name) AS j FROM star ORDER BY id ;; datestyle = German
SELECT id, date '01/02/2003' AS d FROM star ORDER BY id ;; datestyle = ISO, DMY
SELECT id, period, period::text AS t FROM star ORDER BY id ;; intervalstyle = iso_8601
SELECT id, heat, distance FROM star ORDER BY id ;; extra_float_digits = -3
SELECT id, distance::text AS t FROM star ORDER BY id ;; extra_float_digits = 0
SELECT id, image FROM star ORDER BY id ;; bytea_output = escape
SELECT id, image::text AS t FROM star ORDER BY id ;; bytea_output = escape
SELECT id, name FROM star ORDER BY id ;; client_encoding = LATIN1
SELECT id, '{{a,NULL}}'::text[] AS a FROM gauge ORDER BY id ;; array_nulls = off
SELECT id FROM star WHERE class = NULL OR id = 2 ORDER BY id ;; transform_null_equals = on
SELECT id, 'a\nb' AS s FROM gauge ORDER BY id ;; standard_conforming_strings = off
SELECT id, E'a\'b' AS s FROM gauge ORDER BY id ;; backslash_quote = off
SELECT id, to_tsvector(name || ' of stars') AS v FROM planet ORDER BY id ;;
  default_text_search_config = pg_catalog.simple
SELECT id, timestamptz '2020-01-01 00:00 EST' AS t FROM gauge ORDER BY id ;; timezone_abbreviations = Australia
SELECT * FROM moon ORDER BY id ;; role = reader
SELECT * FROM note ORDER BY id ;; role = reader
SELECT * FROM mine ORDER BY id ;; role = reader
SELECT * FROM moon ORDER BY id ;; session_authorization = reader

-- [what does not show]
SELECT id, level FROM gauge ORDER BY id ;; ALTER TYPE mood ADD VALUE IF NOT EXISTS 'odd' ;; ANALYZE gauge ;; VACUUM gauge
SELECT * FROM register ORDER BY id ;; UPDATE register SET level = 9 WHERE id = {k}; SELECT 1 / 0
SELECT id, name FROM star ORDER BY id ;; application_name = other
SELECT id, name FROM star ORDER BY id ;; work_mem = 8MB

-- [changes]
SELECT * FROM shard ORDER BY id ;; DELETE FROM star WHERE id = {k} ;;
  INSERT INTO star (id, name) VALUES ({k}, 'again') ON CONFLICT DO NOTHING
SELECT * FROM shard ORDER BY id ;; DELETE FROM moon WHERE planet_id = {k}
SELECT count(*) FROM shard ;; DELETE FROM moon WHERE id = {k}
SELECT * FROM satellite ORDER BY id ;; DELETE FROM gauge WHERE id = {k} ;; UPDATE gauge SET id = id + 50 WHERE id = {m}
SELECT * FROM gauge ORDER BY id ;; INSERT INTO gauges (id, level) VALUES ({k}, 7) ;; DELETE FROM gauges WHERE id = {m}
SELECT * FROM gauges ORDER BY id ;; UPDATE gauge SET level = level + 1 WHERE id = {k}
SELECT * FROM register ORDER BY id ;; UPDATE renamed SET level = 3 WHERE id = {k} ;; DELETE FROM renamed WHERE id = {m}
SELECT count(*), max(id) FROM log ;; INSERT INTO counted VALUES ({k}) ;; DELETE FROM counted
SELECT count(*) FROM counted ;; INSERT INTO watched VALUES ({k}) ;; TRUNCATE watched
SELECT count(*), sum(n) FROM tree ;; UPDATE leaf SET n = n + 1 ;; UPDATE ONLY tree SET n = 0 ;; DELETE FROM branch
SELECT count(*), sum(n) FROM leaf ;; UPDATE tree SET n = n + 1 ;; INSERT INTO leaf VALUES ({k})
SELECT * FROM archive ORDER BY id, name, size ;; COPY archive FROM STDIN << {k}\t2\tcopied\t3\n ;; DELETE FROM archive
SELECT count(*), max(id) FROM log ;; COPY moon (id, name) FROM STDIN << 1{k}00\tcopied\n ;; DELETE FROM moon WHERE id > 99
SELECT count(*) FROM reading_2025 ;; COPY reading FROM STDIN << {k}\t2025-03-0{m}\t1\n ;; DELETE FROM reading_2025
SELECT count(*) FROM moon ;; TRUNCATE planet CASCADE
SELECT count(*), sum(size) FROM moon ;; MERGE INTO moon m USING (VALUES ({k}), (99)) v (id) ON m.id = v.id
  WHEN MATCHED THEN UPDATE SET size = 1 WHEN NOT MATCHED THEN INSERT (id, size) VALUES (v.id, 2) ;;
  DELETE FROM moon WHERE id = 99
SELECT count(*) FROM archive ;; WITH new AS (INSERT INTO archive VALUES ({k}) RETURNING *) SELECT id FROM new ;;
  DELETE FROM archive
SELECT * FROM gauge ORDER BY id ;; EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF)
  UPDATE gauge SET level = level + 1 WHERE id = {k}
SELECT * FROM gauge ORDER BY id ;; DO 'BEGIN UPDATE public.gauge SET level = level + 1; END'
SELECT id, name FROM star ORDER BY id ;; CALL rename_star({k}, 'called')
SELECT id, size FROM moon ORDER BY id ;; CALL two_commits({k}) ;; SELECT grow({k}) ;; SELECT quietly_grow({m})
SELECT count(*) FROM log ;; SELECT tally('told') ;; SELECT id, tally('row') FROM gauge WHERE id = {k}
SELECT count(*) FROM log ;; SELECT sum(id <~~> 1) FROM gauge WHERE id < 3 ;; SELECT told(id) FROM gauge WHERE id = {k}
SELECT count(*) FROM log ;; INSERT INTO defaulting (id) VALUES ({k}) ;; DELETE FROM defaulting
SELECT id, size FROM moon ORDER BY id ;; PREPARE w (int) AS UPDATE moon SET size = size + 1 WHERE id = $1 ;;
  EXECUTE w ({k}) ;; EXECUTE w ({m}) ;; DEALLOCATE w
SELECT id, size FROM moon ORDER BY id ;; BEGIN ;; DECLARE grown CURSOR FOR SELECT grow(id) FROM moon ORDER BY id ;;
  FETCH 2 FROM grown ;; COMMIT
SELECT id, size FROM moon ORDER BY id ;; BEGIN ;; DECLARE grown CURSOR WITH HOLD FOR SELECT grow(id) FROM moon ;;
  COMMIT ;; CLOSE ALL
SELECT star_id, mass FROM heavy ORDER BY star_id ;; UPDATE planet SET mass = mass + 1 ;; REFRESH MATERIALIZED VIEW heavy
SELECT nosuch FROM planet ;; ALTER TABLE planet ADD nosuch int ;; ALTER TABLE planet DROP nosuch

-- [by key]
SELECT * FROM register WHERE id = {k} ;; UPDATE register SET level = level + 1 WHERE id = {m} ;;
  UPDATE register SET word = {text_} WHERE id = {m} RETURNING *
SELECT level, word FROM register WHERE id = {k} ;; DELETE FROM register WHERE id = {m} ;;
  INSERT INTO register (id, level, word) VALUES ({m}, {int_}, {text_}) ON CONFLICT DO NOTHING
SELECT word FROM register WHERE id = {k} ;; UPDATE register SET id = id + 100 WHERE id = {m} ;;
  UPDATE register SET id = id - 100 WHERE id > 100
SELECT word FROM register WHERE id = {k} ;; DELETE FROM register WHERE id = {k} ;;
  UPDATE register SET id = {k} WHERE id = {m} ;; INSERT INTO register (id, word) VALUES ({m}, 'm') ON CONFLICT DO NOTHING
SELECT count(*) FROM register WHERE id = {k} ;; INSERT INTO register (id) VALUES ({m}.4) ON CONFLICT DO NOTHING ;;
  DELETE FROM register WHERE id = {k}
SELECT id, level FROM register WHERE code = 'c{k}' ORDER BY id ;; UPDATE register SET level = 9 WHERE code = 'c{m}  ' ;;
  UPDATE register SET code = 'c{k}' WHERE id = {m} ;; UPDATE register SET code = 'c' || id
SELECT id FROM register WHERE amount = {k} ORDER BY id ;; UPDATE register SET amount = {k}.04 WHERE id = {m} ;;
  UPDATE register SET amount = id
SELECT id FROM register WHERE amount = {k} ORDER BY id ;; INSERT INTO register (id, amount) VALUES (200, {m}.0400) ;;
  DELETE FROM register WHERE id = 200
SELECT word FROM register WHERE id = {k} AND level > 0 ;; UPDATE register SET level = 0 - level WHERE id = {m}
SELECT word FROM register WHERE id = {k} OR level = {m} ORDER BY id ;; UPDATE register SET level = {m} WHERE id = {m}
SELECT word FROM register WHERE id IN ({k}, {m}) ORDER BY id ;; UPDATE register SET word = {text_} WHERE id = {m}
SELECT a.word, b.level FROM register a JOIN register b ON b.id = a.id + 1 WHERE a.id = {k} ;;
  UPDATE register SET level = level + 1 WHERE id = {m} ;; UPDATE register SET level = level + 1 WHERE id = {k} + 1
SELECT a.word, b.level FROM register a LEFT JOIN register b ON b.id = {k} ORDER BY a.id ;;
  UPDATE register SET word = {text_} WHERE id = {m}
SELECT * FROM renamed WHERE id = {k} ;; UPDATE register SET level = level + 1 WHERE id = {m} ;;
  UPDATE renamed SET word = {text_} WHERE id = {m}
SELECT (SELECT max(level) FROM register) AS m, word FROM register WHERE id = {k} ;;
  UPDATE register SET level = level + 30 WHERE id = {m}
SELECT word FROM register WHERE id = {k} ;; UPDATE register SET level = {m} WHERE id = {k} ;;
  UPDATE register SET word = word || '.' WHERE level = {m}
SELECT level FROM register WHERE id = {k} ;; INSERT INTO register (id, level) VALUES ({m}, 1) ON CONFLICT (id)
  DO UPDATE SET level = register.level + 1 ;; INSERT INTO register (id) VALUES ({m}) ON CONFLICT DO NOTHING
SELECT level FROM register WHERE id = {k} ;; WITH x AS (UPDATE register SET level = 4 WHERE id = {m} RETURNING id)
  SELECT * FROM x
SELECT id, kind FROM gauge WHERE id = {k} ;; UPDATE gauge SET kind = NULL WHERE id = {m} ;;
  UPDATE gauge SET kind = 'dark' WHERE id = {m}
SELECT name, size FROM moon WHERE planet_id = {k} ORDER BY id ;; DELETE FROM planet WHERE id = {m} ;;
  UPDATE moon SET planet_id = NULL WHERE planet_id = {m}
SELECT amount FROM reading WHERE id = {k} ORDER BY day ;; UPDATE reading SET amount = amount + 1 WHERE id = {m} ;;
  DELETE FROM reading_2025 WHERE id = {m} ;; UPDATE reading SET day = day + 365 WHERE id = {m}
SELECT count(*) FROM body WHERE id = {k} ;; UPDATE comet SET id = {k} WHERE id = {m} ;; UPDATE ONLY body SET id = {m}
SELECT mass, twice FROM planet WHERE id = {k} ;; UPDATE planet SET mass = mass + 1 WHERE id = {m} ;;
  UPDATE planet SET name = name || '.' WHERE id = {m}
SELECT level FROM register WHERE id = {k} ;; BEGIN ;; UPDATE register SET level = level + 1 WHERE id = {m} ;;
  UPDATE register SET level = level + 1 WHERE id = {k} ;; COMMIT
SELECT level FROM register WHERE id = {k} ;; BEGIN ;; UPDATE register SET level = level + 1 WHERE id = {m} ;; ROLLBACK

-- A prepared statement learns of a table that was made earlier in its path when it is analysed anew, and not
-- before: here that is at once, for the path itself changes, or the table that it knew is gone.
-- [definitions]
SELECT * FROM register ORDER BY id ;; ALTER TABLE register ADD extra int DEFAULT 4 ;; ALTER TABLE register DROP extra
SELECT id, amount FROM register ORDER BY id ;; ALTER TABLE register ALTER amount TYPE numeric(8, 3) ;;
  ALTER TABLE register ALTER amount TYPE numeric(6, 1)
SELECT id, level FROM register ORDER BY id ;; ALTER TABLE register RENAME TO elsewhere ;;
  CREATE TABLE register (id int, level text) ;; DROP TABLE register ;; ALTER TABLE elsewhere RENAME TO register
SELECT id, word FROM register ORDER BY id ;; ALTER TABLE register RENAME word TO words ;;
  ALTER TABLE register RENAME words TO word
SELECT id, name FROM bright ORDER BY id ;; CREATE OR REPLACE VIEW bright AS SELECT id, name, magnitude, kind FROM star
  WHERE NOT visible ;; CREATE OR REPLACE VIEW bright AS SELECT id, name, magnitude, kind FROM star WHERE visible
SELECT id, twice(id) FROM gauge ORDER BY id ;; CREATE OR REPLACE FUNCTION twice(int) RETURNS int LANGUAGE sql IMMUTABLE
  AS 'SELECT $1 * 3' ;; CREATE OR REPLACE FUNCTION twice(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2'
SELECT id, level FROM gauge ORDER BY id ;; CREATE TEMPORARY TABLE gauge AS SELECT 1 AS id, 2 AS level ;;
  DROP TABLE pg_temp.gauge
SELECT count(*) FROM body ;; CREATE TEMPORARY TABLE fragment () INHERITS (body) ;; INSERT INTO fragment VALUES (1, 'f', 1)
  ;; DROP TABLE pg_temp.fragment
SELECT count(*) FROM body ;; CREATE TABLE fragment () INHERITS (body) ;; INSERT INTO fragment VALUES (1, 'f', 1) ;;
  UPDATE body SET size = 2 ;; DROP TABLE fragment
SELECT count(*), sum(amount) FROM reading ;; ALTER TABLE reading DETACH PARTITION reading_2025 ;;
  ALTER TABLE reading ATTACH PARTITION reading_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')
SELECT count(*) FROM moon ;; ALTER TABLE moon DISABLE TRIGGER moon_moved ;; INSERT INTO moon (id) VALUES (98) ;;
  ALTER TABLE moon ENABLE TRIGGER moon_moved ;; DELETE FROM moon WHERE id = 98
SELECT * FROM star ORDER BY id ;; SET ROLE reader ;; other: REVOKE SELECT ON star FROM reader ;;
  other: GRANT SELECT (id, name) ON star TO reader ;; other: GRANT SELECT ON star TO reader ;; RESET ROLE
SELECT id, name FROM planet ORDER BY id ;; SET search_path = lab, public ;; other: DROP TABLE lab.planet;
  CREATE TABLE lab.planet (LIKE public.planet); INSERT INTO lab.planet (id, name) VALUES (1, 'lab 1') ;;
  RESET search_path
SELECT id, name FROM planet ORDER BY id ;; CREATE SCHEMA postgres CREATE TABLE planet (id int, name text) ;;
  DROP SCHEMA postgres CASCADE
SELECT id, body FROM note ORDER BY id ;; SET ROLE reader ;; other: ALTER TABLE note DISABLE ROW LEVEL SECURITY ;;
  other: ALTER TABLE note ENABLE ROW LEVEL SECURITY ;; RESET ROLE
SELECT id, level FROM gauge ORDER BY id ;; DISCARD ALL ;; SET work_mem = '6MB' ;; DISCARD PLANS ;; RESET ALL

-- [blocks]
SELECT * FROM register ORDER BY id ;; BEGIN ISOLATION LEVEL REPEATABLE READ ;; SELECT 1 FROM gauge ;;
  other: UPDATE register SET level = level + 1 WHERE id = {k} ;; COMMIT
SELECT * FROM register ORDER BY id ;; BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY ;; SELECT 1 FROM gauge ;;
  other: UPDATE register SET level = level + 1 ;; ROLLBACK
SELECT * FROM register WHERE id = {k} ;; SET default_transaction_isolation = 'repeatable read' ;; BEGIN ;;
  SELECT 1 FROM gauge ;; other: UPDATE register SET level = level + 1 ;; COMMIT ;; RESET default_transaction_isolation
SELECT * FROM register ORDER BY id ;; BEGIN; SET TRANSACTION ISOLATION LEVEL REPEATABLE READ ;; SELECT 1 FROM gauge ;;
  other: DELETE FROM register WHERE id = {k} ;; COMMIT ;;
  INSERT INTO register (id, code, level) VALUES ({k}, 'c{k}', 1) ON CONFLICT DO NOTHING
SELECT * FROM register ORDER BY id ;; BEGIN ;; UPDATE register SET level = level + 1 WHERE id = {k} ;; SAVEPOINT a ;;
  UPDATE register SET level = level + 1 WHERE id = {m} ;; ROLLBACK TO a ;; RELEASE a ;; COMMIT
SELECT * FROM register ORDER BY id ;; BEGIN ;; SAVEPOINT a ;; UPDATE register SET level = level + 1 WHERE id = {m} ;;
  SELECT nosuch ;; ROLLBACK TO a ;; SAVEPOINT b ;; UPDATE register SET level = 2 WHERE id = {k} ;; RELEASE b ;; COMMIT
SELECT * FROM register ORDER BY id ;; BEGIN ;; UPDATE register SET level = 7 WHERE id = {k} ;; SELECT 1 / 0 ;; COMMIT
SELECT * FROM register ORDER BY id ;; BEGIN; UPDATE register SET level = 8 WHERE id = {k}; COMMIT; SELECT 1 / 0
SELECT * FROM register ORDER BY id ;; BEGIN ;; UPDATE register SET level = 3 WHERE id = {k} ;; COMMIT AND CHAIN ;;
  UPDATE register SET level = 4 WHERE id = {k} ;; ROLLBACK AND CHAIN ;; COMMIT
SELECT * FROM register ORDER BY id ;; BEGIN ;; other: UPDATE register SET level = level + 1 WHERE id = {k} ;;
  UPDATE register SET level = level + 1 WHERE id = {m} ;; COMMIT
SELECT * FROM register ORDER BY id ;; BEGIN ;; SELECT pg_advisory_xact_lock(7) ;;
  other: UPDATE register SET level = level + 1 WHERE id = {k} ;; COMMIT
SELECT noted FROM star ORDER BY id ;; BEGIN ;; SET timezone = 'Asia/Tokyo' ;; SAVEPOINT a ;; SET LOCAL timezone = 'UTC' ;;
  ROLLBACK TO a ;; ROLLBACK
SELECT * FROM moon ORDER BY id ;; BEGIN ;; SET LOCAL ROLE reader ;; ROLLBACK
