"""Fixtures that every folder of tests may use: servers for the session, a database for the test."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.postgres import Cluster, Database, ProgramsMissing
from tools.compiled import extensions, stale

if TYPE_CHECKING:
    from collections.abc import Generator

_numbers = count(1)

# How long one example takes says more about who else uses the machine than about the code.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--no-skips``: what a test needs must be there, as in continuous integration."""
    parser.addoption("--no-skips", action="store_true", help="a skipped test is a failed test")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where the hot rooms are compiled, nothing can be planted in them; an extension must fit its source."""
    if changed := stale():
        pytest.exit(
            f"changed since it was compiled: {', '.join(changed)} (make compiled, or ARGS=--remove)", 4
        )
    if extensions():
        skip = pytest.mark.skip(reason="what is compiled cannot be patched, nor held weakly")
        for item in items:
            if item.get_closest_marker("plain"):
                item.add_marker(skip)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skipped test into a failed one under ``--no-skips``, with the reason it gave."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and item.config.getoption("--no-skips"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and --no-skips was given: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def cluster() -> Generator[Cluster]:
    """A running PostgreSQL 16 without TLS; what a test makes outside its own database, it removes."""
    with Cluster() as running:
        yield running


@pytest.fixture(scope="session")
def tls_cluster() -> Generator[Cluster]:
    """A running PostgreSQL with TLS and ICU, of Debian's package."""
    try:
        server = Cluster(tls=True)
    except ProgramsMissing as missing:
        pytest.skip(str(missing))
    with server as running:
        yield running


@pytest.fixture
def database(cluster: Cluster) -> Generator[Database]:
    """An empty database of the test's own."""
    fresh = Database(cluster, f"test_{next(_numbers)}")
    fresh.create()
    yield fresh
    fresh.drop()
