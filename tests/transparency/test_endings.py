"""How sessions and statements are ended from outside: cancel, terminate, timeouts, goodbyes."""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import psycopg
import pytest

from proxy.wire import backend, frontend
from proxy.wire import startup as packets
from tests.integration.proxy import until
from tests.postgres import HOST, PASSWORD, SUPERUSER
from tests.transparency.guest import Guest, startup

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.wire.framing import Frame
    from tests.transparency.sides import Sides

pytestmark = pytest.mark.postgres

SLEEP: Final = frontend.query(b"SELECT pg_sleep(60)")
PLANETS: Final = frontend.query(b"SELECT id, name FROM planet ORDER BY id")
BEGIN: Final = frontend.query(b"BEGIN")


@dataclass(frozen=True, slots=True)
class Session:
    """A session on one side, ``ruler`` a superuser's direct connection to the same database."""

    guest: Guest
    port: int
    ruler: psycopg.Connection[tuple[object, ...]]

    def say(self, frames: bytes) -> list[Frame]:
        """Say something and hear the whole answer."""
        self.guest.socket.sendall(frames)
        return self.guest.until(backend.READY_FOR_QUERY)

    def backend(self) -> int:
        """The origin's own process id of this session."""
        rows = self.say(frontend.query(b"SELECT pg_backend_pid()"))
        return next(int(row.raw[11:]) for row in rows if row.kind == backend.DATA_ROW)

    def start(self, frames: bytes, pid: int) -> None:
        """Say something that takes long; return once the origin is at it."""
        self.guest.socket.sendall(frames)
        active = "SELECT 1 FROM pg_stat_activity WHERE pid = %s AND wait_event = 'PgSleep'"
        until(lambda: self.ruler.execute(active, (pid,)).fetchone() is not None, "the statement runs")


def compare(sides: Sides, act: Callable[[Session], list[Frame]]) -> list[Frame]:
    """``act`` on both sides must hear the same; what the direct one heard."""
    heard = []
    for url in (sides.direct, sides.proxied):
        parts = urlsplit(url)
        assert parts.port is not None
        direct = sides.direct.replace(urlsplit(sides.direct).path, parts.path)
        with Guest(parts.port) as guest, psycopg.connect(direct, autocommit=True) as ruler:
            assert guest.log_in(startup({"user": SUPERUSER, "database": parts.path[1:]}), SUPERUSER, PASSWORD)
            heard.append(act(Session(guest, parts.port, ruler)))
    direct_side, proxied_side = ([frame.raw for frame in frames] for frames in heard)
    assert proxied_side == direct_side
    return heard[0]


def cancel(session: Session) -> None:
    greeting = next(f for f in session.guest.heard if f.kind == backend.BACKEND_KEY_DATA)
    pid, secret = backend.read_backend_key_data(greeting.raw)
    with socket.create_connection((HOST, session.port), 10) as other:
        other.sendall(packets.cancel_request(pid, secret))
        assert other.recv(1) == b""


@pytest.mark.parametrize("in_block", [False, True])
def test_a_cancelled_statement(sides: Sides, in_block: bool) -> None:
    def act(session: Session) -> list[Frame]:
        pid = session.backend()
        if in_block:
            session.say(BEGIN)
        session.start(SLEEP, pid)
        cancel(session)
        return session.guest.until(backend.READY_FOR_QUERY) + session.say(PLANETS)

    heard = compare(sides, act)
    assert (
        backend.sqlstate(heard[1].raw if heard[0].kind != backend.ERROR_RESPONSE else heard[0].raw) == "57014"
    )


def test_a_cancel_while_nothing_runs(sides: Sides) -> None:
    def act(session: Session) -> list[Frame]:
        heard = session.say(PLANETS)
        cancel(session)
        return heard + session.say(BEGIN) + session.say(PLANETS)

    compare(sides, act)


@pytest.mark.parametrize("before", [b"", BEGIN])
def test_a_session_that_is_terminated_while_a_statement_runs(sides: Sides, before: bytes) -> None:
    def act(session: Session) -> list[Frame]:
        pid = session.backend()
        if before:
            session.say(before)
        session.start(SLEEP, pid)
        session.ruler.execute("SELECT pg_terminate_backend(%s)", (pid,))
        return session.guest.until_closed()

    heard = compare(sides, act)
    assert backend.sqlstate(heard[-1].raw) == "57P01"


def test_a_session_that_is_terminated_in_a_transaction(sides: Sides) -> None:
    def act(session: Session) -> list[Frame]:
        pid = session.backend()
        session.say(BEGIN)
        session.backend()
        session.ruler.execute("SELECT pg_terminate_backend(%s)", (pid,))
        return session.guest.until_closed()

    assert backend.sqlstate(compare(sides, act)[-1].raw) == "57P01"


@pytest.mark.parametrize(
    "state",
    ["SET temp_tablespaces = ''", "LISTEN news", "PREPARE p AS SELECT 1", "SELECT pg_advisory_lock(5)"],
)
def test_an_idle_session_with_a_state_of_its_own_that_is_terminated(sides: Sides, state: str) -> None:
    def act(session: Session) -> list[Frame]:
        pid = session.backend()
        session.say(frontend.query(state.encode()))
        session.ruler.execute("SELECT pg_terminate_backend(%s)", (pid,))
        return session.guest.until_closed()

    assert backend.sqlstate(compare(sides, act)[-1].raw) == "57P01"


def test_a_session_that_is_idle_for_too_long(sides: Sides) -> None:
    def act(session: Session) -> list[Frame]:
        session.say(frontend.query(b"SET idle_session_timeout = '30ms'"))
        return session.guest.until_closed()

    assert backend.sqlstate(compare(sides, act)[-1].raw) == "57P05"


def test_a_transaction_that_is_idle_for_too_long(sides: Sides) -> None:
    def act(session: Session) -> list[Frame]:
        session.say(frontend.query(b"SET idle_in_transaction_session_timeout = '30ms'"))
        session.say(BEGIN)
        return session.guest.until_closed()

    assert backend.sqlstate(compare(sides, act)[-1].raw) == "25P03"


def test_a_client_that_says_goodbye_hears_nothing(sides: Sides) -> None:
    def act(session: Session) -> list[Frame]:
        heard = session.say(PLANETS)
        session.guest.socket.sendall(frontend.TERMINATE_FRAME)
        return heard + session.guest.until_closed()

    compare(sides, act)


def test_a_goodbye_in_a_transaction_undoes_it(sides: Sides) -> None:
    def act(session: Session) -> list[Frame]:
        session.say(BEGIN)
        heard = session.say(frontend.query(b"INSERT INTO log (word) VALUES ('undone')"))
        session.guest.socket.sendall(frontend.TERMINATE_FRAME)
        heard += session.guest.until_closed()
        rows = session.ruler.execute("SELECT count(*) FROM log WHERE word = 'undone'").fetchone()
        assert rows == (0,)
        return heard

    compare(sides, act)


def test_a_deadlock_names_processes_and_ends_one_of_both(sides: Sides) -> None:
    """The ids and the order of blame are the origin's: only codes are compared."""
    codes = []
    for url in (sides.direct, sides.proxied):
        with psycopg.connect(url) as first, psycopg.connect(url) as second:
            first.execute("UPDATE gauge SET level = level WHERE id = 1")
            second.execute("UPDATE gauge SET level = level WHERE id = 2")
            found: list[str | None] = []

            def wait(
                connection: psycopg.Connection[tuple[object, ...]], key: int, into: list[str | None]
            ) -> None:
                try:
                    connection.execute("SET LOCAL lock_timeout = 0")
                    connection.execute("UPDATE gauge SET level = level WHERE id = %s", (key,))
                except psycopg.Error as fault:
                    into.append(fault.sqlstate)
                finally:
                    connection.rollback()

            both = [
                threading.Thread(target=wait, args=(first, 2, found)),
                threading.Thread(target=wait, args=(second, 1, found)),
            ]
            for one in both:
                one.start()
            for one in both:
                one.join()
            codes.append(found)
    assert codes == [["40P01"], ["40P01"]]
