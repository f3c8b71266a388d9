"""PostgreSQL for tests: the throw-away server of the workshop, and databases in it."""

from __future__ import annotations

from dataclasses import dataclass

from tools.embedded import HOST, PASSWORD, SUPERUSER, Cluster
from tools.programs import ProgramsMissing

__all__ = ["HOST", "PASSWORD", "SUPERUSER", "Cluster", "Database", "ProgramsMissing"]


@dataclass(frozen=True, slots=True)
class Database:
    """One database of a cluster, made for one test."""

    cluster: Cluster
    name: str

    def url(self, user: str = SUPERUSER, password: str = PASSWORD, **query: str) -> str:
        """The connection URL; ``query`` holds parameters of libpq."""
        return self.cluster.url(self.name, user, password, **query)

    def execute(self, sql: str) -> list[tuple[object, ...]]:
        """Run one statement or several as superuser, autocommit; the rows of the first that returns any."""
        return self.cluster.execute(sql, self.name)

    def create(self) -> None:
        """Make the database; it is empty."""
        self.cluster.execute(f'CREATE DATABASE "{self.name}"')

    def drop(self) -> None:
        """Delete the database, ending the sessions in it; one that the test dropped is no error."""
        self.cluster.execute(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')
