"""A database with one of everything, and the asking in it: the ground of this room's tests."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from proxy.schema.catalogue import Catalogue
from proxy.sql import analyse
from proxy.sql.analysis import Analysis, Extent, Statement

SCHEMA: Final = """
CREATE SCHEMA shop;
CREATE TABLE planets (
  id serial PRIMARY KEY, name text NOT NULL, kind varchar(20), mass numeric(10,2), discovered date,
  seen_at timestamptz DEFAULT now(), created_at timestamp DEFAULT CURRENT_TIMESTAMP, tags text[], info jsonb,
  raw json, rings boolean, code char(3), radius float8, score int8, uid uuid DEFAULT gen_random_uuid(),
  at_time time);
CREATE TABLE moons (id int PRIMARY KEY, planet_id int REFERENCES planets ON DELETE CASCADE, name text);
CREATE TYPE mood AS ENUM ('calm', 'stormy');
CREATE TYPE pair AS (a int, b text, c date);
CREATE DOMAIN email AS text CHECK (VALUE ~ '@');
CREATE DOMAIN plain_text AS text;
CREATE TABLE zoo (
  id int, m mood, p pair, e email, t plain_text, r int4range, ts tstzrange, reg regclass, pt point, x xml,
  odd_time timetz);
CREATE FUNCTION tick(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'select $1 + 1';
CREATE FUNCTION writer() RETURNS int LANGUAGE plpgsql STABLE AS 'begin return 1; end';
CREATE FUNCTION size(planets) RETURNS int LANGUAGE sql IMMUTABLE AS 'select 1';
CREATE DOMAIN guarded AS int CHECK (tick(VALUE) > 0);
CREATE TABLE vault (id guarded);
CREATE VIEW v_planets AS SELECT id, name, discovered FROM planets WHERE mass > 1;
CREATE VIEW v_now AS SELECT id, now() AS n FROM planets;
CREATE VIEW v_user AS SELECT id, CURRENT_USER AS u FROM planets;
CREATE VIEW v_word AS SELECT id FROM planets WHERE created_at < 'now'::text::timestamp;
CREATE VIEW v_writer AS SELECT id, writer() FROM planets;
CREATE VIEW v_deep AS SELECT * FROM v_planets JOIN moons USING (id, name);
CREATE MATERIALIZED VIEW mv AS SELECT id FROM planets;
CREATE TABLE secret (id int, name text);
ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON secret USING (name = current_user);
CREATE TABLE watched (id int);
ALTER TABLE watched ENABLE ROW LEVEL SECURITY;
CREATE POLICY writes ON watched USING (writer() = 1);
CREATE TABLE events (id int, at timestamptz, kind text) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE evil (id int DEFAULT writer(), n int);
CREATE TABLE trig (id int, n int);
CREATE FUNCTION trg() RETURNS trigger LANGUAGE plpgsql AS 'begin return new; end';
CREATE TRIGGER t AFTER INSERT ON trig FOR EACH ROW EXECUTE FUNCTION trg();
CREATE TABLE shop.items (id int, price numeric);
CREATE TABLE public.items (id int);
CREATE SEQUENCE counter;
CREATE TABLE base (id int, n int);
CREATE TABLE child (extra text) INHERITS (base);
"""


@dataclass(frozen=True, slots=True)
class Observatory:
    """The database's catalogue, and the context that its statements are read in."""

    catalogue: Catalogue
    context: analyse.Context

    def at(self, **changes: object) -> Observatory:
        """The same with another context."""
        return Observatory(self.catalogue, replace(self.context, **changes))  # type: ignore[arg-type]  # for tests

    def analysis(self, text: str, types: tuple[int, ...] = ()) -> Analysis:
        return analyse.analyse(text, self.catalogue, self.context, types)

    def statement(self, text: str, types: tuple[int, ...] = ()) -> Statement:
        """The only statement of ``text``."""
        (statement,) = self.analysis(text, types).statements
        return statement

    def reason(self, text: str, types: tuple[int, ...] = ()) -> str:
        return self.statement(text, types).reason

    def reads(self, text: str) -> set[str]:
        return self.names(self.statement(text).reads)

    def reach(self, text: str) -> set[str] | str:
        """The tables written, or "nothing", "unknown", "ddl", "origin"."""
        reach = self.analysis(text).reach
        if reach.extent == Extent.TABLES:
            return self.names(reach.tables)
        if reach.extent == Extent.ORIGIN:
            return "origin"
        if reach.ddl:
            return "ddl" if reach.proven else "unknown"
        return "nothing" if reach.extent == Extent.NOTHING else "unknown"

    def names(self, oids: frozenset[int]) -> set[str]:
        return {self.catalogue.relations[oid].name for oid in oids}
