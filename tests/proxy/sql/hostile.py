"""A database whose owner has redefined what PostgreSQL brings, to see that nobody is fooled."""

from __future__ import annotations

from typing import Final

SCHEMA: Final = """
CREATE TABLE planets (id int, name text, big int8, at timestamp, label varchar(10));
CREATE FUNCTION lower(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'select $1';
CREATE FUNCTION lower(varchar) RETURNS text LANGUAGE sql IMMUTABLE AS 'select $1::text';
CREATE FUNCTION equal_ints(int, int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'select true';
CREATE OPERATOR = (FUNCTION = equal_ints, LEFTARG = int, RIGHTARG = int);
CREATE FUNCTION equal_labels(varchar, varchar) RETURNS bool LANGUAGE sql IMMUTABLE AS 'select true';
CREATE OPERATOR = (FUNCTION = equal_labels, LEFTARG = varchar, RIGHTARG = varchar);
CREATE DOMAIN date AS text;
CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int);
CREATE TABLE moving (date text, length text);
CREATE TYPE coin AS (cents int);
CREATE FUNCTION to_coin(int) RETURNS coin LANGUAGE sql IMMUTABLE AS 'select row($1)::coin';
CREATE CAST (int AS coin) WITH FUNCTION to_coin(int);
CREATE TABLE purse (money coin);
CREATE TYPE shell AS (size int);
CREATE FUNCTION as_bool(shell) RETURNS bool LANGUAGE sql IMMUTABLE AS 'select true';
CREATE CAST (shell AS bool) WITH FUNCTION as_bool(shell) AS ASSIGNMENT;
CREATE FUNCTION as_text(shell) RETURNS text LANGUAGE sql IMMUTABLE AS 'select ''x''::text';
CREATE CAST (shell AS text) WITH FUNCTION as_text(shell) AS IMPLICIT;
CREATE FUNCTION as_shell(int) RETURNS shell LANGUAGE sql IMMUTABLE AS 'select row($1)::shell';
CREATE CAST (int AS shell) WITH FUNCTION as_shell(int) AS ASSIGNMENT;
CREATE TABLE beach (s shell, t text);
CREATE TYPE span AS RANGE (subtype = float8);
CREATE TABLE spans (s span, id int);
CREATE TYPE mood AS ENUM ('calm', 'stormy');
CREATE FUNCTION order_moods(mood, mood) RETURNS int LANGUAGE sql IMMUTABLE AS 'select 0';
CREATE OPERATOR CLASS of_moods DEFAULT FOR TYPE mood USING btree AS FUNCTION 1 order_moods(mood, mood);
CREATE FUNCTION order_labels(varchar, varchar) RETURNS int LANGUAGE sql IMMUTABLE AS 'select 0';
CREATE OPERATOR CLASS of_labels DEFAULT FOR TYPE varchar USING btree
  AS FUNCTION 1 order_labels(varchar, varchar);
CREATE TYPE weather AS (day int, sky mood);
CREATE TABLE days (m mood, ms mood[], w weather, v varchar(10), t text);
CREATE VIEW v_lower AS SELECT public.lower(name) AS l FROM planets;
"""
