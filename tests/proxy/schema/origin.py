"""One database of a test's own on PostgreSQL 15 or 18, and what the room reads of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import psycopg

from proxy.schema.answers import Rows, decode
from proxy.schema.build import build
from proxy.schema.catalogue import Catalogue, Relation
from proxy.schema.objects import Objects, build_objects
from proxy.schema.queries import (
    ABILITIES_QUERY,
    Abilities,
    built_in_query,
    database_query,
    fingerprint_query,
    identity_query,
)
from tests.postgres import SUPERUSER, Database

MANY = 10_000
# What initdb made, by the port of the server: no test here edits it.
_built_in: dict[int, Objects] = {}


@dataclass(frozen=True, slots=True)
class Origin:
    """A database, and the asking in it as ``user``."""

    database: Database
    user: str = SUPERUSER
    search_path: str = "public"
    password: str = field(default="orbit", repr=False)

    def execute(self, sql: str) -> list[tuple[object, ...]]:
        return self.database.execute(sql)

    def ask(self, query: str) -> tuple[object, ...]:
        """The only row of ``query``, asked with the role's search_path."""
        options = f"-c search_path={self.search_path}"
        url = self.database.url(self.user, self.password, options=options)
        with psycopg.connect(url, autocommit=True) as connection:
            row = connection.execute(query.encode()).fetchone()
        assert row is not None
        return row

    def abilities(self) -> Abilities:
        return Abilities(*map(bool, self.ask(ABILITIES_QUERY)))

    def fingerprint(self) -> str:
        return str(self.ask(fingerprint_query(self.abilities()))[0])

    def identity(self) -> tuple[object, ...]:
        return self.ask(identity_query(self.abilities()))

    def answer(self, limit: int = MANY) -> object:
        return self.ask(database_query(self.abilities()).replace("$1", str(limit)))[0]

    def rows(self) -> Rows:
        return decode(str(self.answer()))

    def built_in_rows(self) -> Rows:
        return decode(str(self.ask(built_in_query())[0]))

    def catalogue(self) -> Catalogue:
        port = self.database.cluster.port
        if port not in _built_in:
            _built_in[port] = build_objects(self.built_in_rows())
        return build(self.rows(), _built_in[port])


def relation(catalogue: Catalogue, name: str, schema: str = "public") -> Relation:
    """The relation of that name, which must be there."""
    return catalogue.relations[catalogue.relation_names[schema, name]]


def names(catalogue: Catalogue, oids: frozenset[int]) -> set[str]:
    """The bare names of relations."""
    return {catalogue.relations[oid].name for oid in oids}
