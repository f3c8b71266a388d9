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
CREATE TYPE span AS RANGE (subtype = float8);
CREATE TABLE spans (s span, id int);
CREATE VIEW v_lower AS SELECT public.lower(name) AS l FROM planets;
"""
