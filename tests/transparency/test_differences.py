"""Each line of docs/differences.md, shown: a case here or elsewhere in the tests. Nothing else may differ."""

from __future__ import annotations

import ast
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import psycopg
import pytest

from proxy.wire import backend, frontend
from proxy.wire import startup as packets
from proxy.wire.framing import compose
from tests.differential.messages import Part, Step, bind, describe_portal, execute, parse, query
from tests.differential.player import last_outcome
from tests.matrix import one_memory, pool_transaction
from tests.postgres import PASSWORD, SUPERUSER
from tests.transparency.guest import Guest, startup, told

if TYPE_CHECKING:
    from proxy.wire.framing import Frame
    from tests.differential.twins import Pair, Voice
    from tests.transparency.sides import Sides

pytestmark = pytest.mark.postgres

TESTS: Final = Path(__file__).resolve().parent.parent
HERE: Final = "transparency/test_differences.py"
PAGE: Final = TESTS.parent / "docs" / "differences.md"
PLANETS: Final = "SELECT id, name FROM planet ORDER BY id"
SYNC: Final = frontend.SYNC_FRAME

# Which case shows each line: its file and name.
SHOWN: Final[dict[str, tuple[str, str]]] = {
    "process id": (HERE, "test_the_process_id_of_a_login_is_not_that_of_a_backend"),
    "login": ("integration/test_login.py", "test_a_second_login_opens_no_connection_to_the_origin"),
    "authentication": (HERE, "test_a_role_without_a_password_is_refused_before_it_is_asked_for_one"),
    "versions of the protocol": (HERE, "test_a_client_of_a_later_protocol_is_told_of_the_first"),
    "broken messages": (HERE, "test_a_broken_message_ends_the_session"),
    "broken startup packets": (HERE, "test_a_broken_startup_packet_is_answered"),
    "errors of the proxy": (HERE, "test_errors_of_the_proxy_name_no_place_in_postgresqls_source"),
    "`pg_stat_activity`": (HERE, "test_an_answer_from_memory_shows_in_no_activity"),
    "logs, `pg_stat_activity`, `current_query()`": (HERE, "test_the_proof_stands_in_the_text_of_a_query"),
    "end of such a statement": (
        "integration/test_proof.py",
        "test_a_client_that_leaves_right_behind_its_sync_has_its_write_carried_out",
    ),
    "connections": (HERE, "test_the_proxy_has_connections_of_its_own"),
    "auditor": (
        "integration/test_auditor.py",
        "test_each_answer_is_asked_for_as_its_role_and_under_its_settings",
    ),
    "sessions without a backend": (HERE, "test_a_session_that_only_memory_has_answered_has_no_backend"),
    "BEGIN": ("integration/test_blocks.py", "test_a_block_that_stays_open_shows_at_the_origin"),
    "a portal used again": (HERE, "test_a_portal_that_memory_has_answered_is_not_there_for_a_second_run"),
    "plans of prepared statements": (HERE, "test_a_prepared_statement_may_learn_sooner_of_another_table"),
    "temporary relations": (HERE, "test_a_temporary_relation_made_again_is_seen_by_another_backend"),
    "isolation behind a read": (HERE, "test_set_transaction_may_follow_a_read_from_memory"),
    "row-limited Execute": (HERE, "test_an_execute_with_a_row_limit_goes_to_the_origin"),
    "lost origin": ("integration/test_faults.py", "test_a_client_that_only_read_outlives_a_restart"),
    "shared connections": (
        "integration/test_pool.py",
        "test_numbers_of_sequences_are_never_another_client_s",
    ),
    "replication": (HERE, "test_replication_is_refused"),
    "GSSAPI encryption": ("integration/test_bad_input.py", "test_gss_and_ssl_requests_are_refused_politely"),
    "`SHOW orrery.*`, `SET orrery.cache`, `ORRERY ...`": (HERE, "test_the_proxys_own_commands_are_answered"),
}


def test_every_line_of_the_page_has_a_case_that_shows_it() -> None:
    rows = [
        line.split(" | ")[0].removeprefix("| ")
        for line in PAGE.read_text().splitlines()
        if line.startswith("| ")
    ]
    assert rows[1:] == list(SHOWN)


@pytest.mark.parametrize(("file", "name"), SHOWN.values())
def test_the_case_exists(file: str, name: str) -> None:
    tree = ast.parse((TESTS / file).read_text())
    assert name in {
        node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def values(voice: Voice, sql: str) -> list[str]:
    """The first column of the rows, as text."""
    rows = [frame.raw for frame in voice.say(query(0, sql)) if frame.kind == backend.DATA_ROW]
    return [row[11 : 11 + int.from_bytes(row[7:11], "big")].decode() for row in rows]


def both(pair: Pair, *steps: Step) -> tuple[bytes, bytes]:
    """The kinds of all replies, direct and proxied."""
    direct, proxied = (
        b"".join(bytes((f.kind,)) for step in steps for f in voice.say(step)) for voice in pair
    )
    return direct, proxied


def remembered(voice: Voice, sql: str = PLANETS) -> None:
    """Ask until the memory answers."""
    for _ in range(3):
        voice.say(query(0, sql, read=True))
    assert last_outcome(voice)[0] == "hit"


def answers(sides: Sides, said: bytes) -> tuple[list[Frame], list[Frame]]:
    """What each side says to bytes that a logged-in client sends, up to ReadyForQuery or the end."""
    heard = []
    for url in (sides.direct, sides.proxied):
        parts = urlsplit(url)
        assert parts.port is not None
        with Guest(parts.port) as guest:
            assert guest.log_in(startup({"user": SUPERUSER, "database": parts.path[1:]}), SUPERUSER, PASSWORD)
            greeting = len(guest.heard)
            guest.socket.sendall(said)
            with suppress(EOFError, ConnectionResetError):
                guest.until(backend.READY_FOR_QUERY)
            heard.append(guest.heard[greeting:])
    return heard[0], heard[1]


def greetings(sides: Sides, first: bytes, user: str = SUPERUSER, password: str = PASSWORD) -> list[list[str]]:
    """What each side says to a login that begins with these bytes; {database} is its own."""
    heard = []
    for url in (sides.direct, sides.proxied):
        parts = urlsplit(url)
        assert parts.port is not None
        with Guest(parts.port) as guest:
            guest.log_in(first.replace(b"{database}", parts.path[1:].encode()), user, password)
            heard.append(told(guest.heard))
    return heard


@pool_transaction
def test_the_process_id_of_a_login_is_not_that_of_a_backend(sides: Sides) -> None:
    with sides.pairs(1) as (pair,):
        backends = [int(values(voice, "SELECT pg_backend_pid()")[0]) for voice in pair]
        assert pair.direct.pid == backends[0]
        assert pair.proxied.pid != backends[1]


def test_a_role_without_a_password_is_refused_before_it_is_asked_for_one(sides: Sides) -> None:
    direct, proxied = greetings(sides, startup({"user": "reader", "database": "postgres"}), "reader", "x")
    assert len(direct) > len(proxied) == 1
    assert direct[-1] == proxied[-1]


def test_a_client_of_a_later_protocol_is_told_of_the_first(sides: Sides) -> None:
    first = startup({"user": SUPERUSER, "database": "postgres"}, (3 << 16) + 2)
    _, proxied = greetings(sides, first)
    assert proxied[0] == repr(packets.negotiate_protocol_version([]))


def test_a_broken_message_ends_the_session(sides: Sides) -> None:
    direct, proxied = answers(sides, compose(frontend.SYNC, b"X"))
    assert [frame.kind for frame in direct] == [backend.ERROR_RESPONSE, backend.READY_FOR_QUERY]
    assert [frame.kind for frame in proxied] == [backend.ERROR_RESPONSE]
    ours, theirs = (backend.error_fields(frames[0].raw) for frames in (proxied, direct))
    assert (ours["C"], ours["M"], ours["S"]) == (theirs["C"], theirs["M"], "FATAL")


def test_a_broken_startup_packet_is_answered(sides: Sides) -> None:
    assert greetings(sides, b"GET / HTTP/1.1\r\n\r\n")[0] == []
    assert "invalid length of startup packet" in greetings(sides, b"GET / HTTP/1.1\r\n\r\n")[1][0]


def test_errors_of_the_proxy_name_no_place_in_postgresqls_source(sides: Sides) -> None:
    for url, names_one in ((sides.direct, True), (sides.proxied, False)):
        with pytest.raises(psycopg.OperationalError) as refused:
            psycopg.connect(url.replace(f":{PASSWORD}@", ":wrong@"))
        assert "password authentication failed" in str(refused.value)
        parts = urlsplit(url)
        assert parts.port is not None
        with Guest(parts.port) as guest:
            guest.log_in(startup({"user": SUPERUSER, "database": "postgres"}), SUPERUSER, "wrong")
            assert ("R" in backend.error_fields(guest.heard[-1].raw)) == names_one


ACTIVITY: Final = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"


def test_an_answer_from_memory_shows_in_no_activity(sides: Sides) -> None:
    shown = f"{ACTIVITY} AND query = '{PLANETS}'"
    with sides.pairs(2) as (asking, watching):
        remembered(asking.proxied)
        asking.proxied.say(query(0, "SELECT 1"))
        asking.proxied.say(query(0, PLANETS))
        asking.direct.say(query(0, PLANETS))
        assert (values(watching.direct, shown), values(watching.proxied, shown)) == (["1"], ["0"])


def test_the_proof_stands_in_the_text_of_a_query(sides: Sides) -> None:
    with sides.pairs(1) as (pair,):
        texts = [values(voice, "SELECT current_query() FROM (SELECT grow(0)) AS g")[0] for voice in pair]
    assert texts[1].startswith(texts[0])
    assert "pg_current_xact_id_if_assigned" in texts[1]


def test_the_proxy_has_connections_of_its_own(sides: Sides) -> None:
    own = "SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name LIKE 'orrery%'"
    with sides.pairs(1) as (pair,):
        assert values(pair.direct, own) == ["t"]


@pool_transaction
@one_memory
def test_a_session_that_only_memory_has_answered_has_no_backend(sides: Sides) -> None:
    with sides.pairs(2) as (asking, watching):
        remembered(asking.proxied)
        before = values(watching.proxied, ACTIVITY)
        with sides.pairs(1) as (another,):
            remembered(another.proxied)
            assert values(watching.proxied, ACTIVITY) == before


def test_a_portal_that_memory_has_answered_is_not_there_for_a_second_run(sides: Sides) -> None:
    run = Step(0, (Part(parse("", PLANETS) + bind("", "") + execute() + SYNC),), read=True)
    again = Step(0, (Part(execute() + SYNC),))
    with sides.pairs(1) as (pair,):
        for voice in pair:
            for step in (run, run, run, query(0, "BEGIN")):
                voice.say(step)
        direct, proxied = both(pair, run, again)
        assert (direct[-2:], proxied[-2:]) == (b"CZ", b"EZ")


@one_memory
def test_a_prepared_statement_may_learn_sooner_of_another_table(sides: Sides) -> None:
    made = Step(0, (Part(parse("s", "SELECT count(*) FROM planet") + SYNC),))
    run = Step(0, (Part(bind("", "s") + execute() + SYNC),), read=True)
    with sides.pairs(2) as (pair, other):
        try:
            for first, second in zip(pair, other, strict=True):
                for voice, step in ((first, made), (second, made), (first, run), (second, run)):
                    voice.say(step)
                first.say(query(0, "CREATE SCHEMA postgres"))
                first.say(run)
                second.say(run)  # through the proxy from memory: PostgreSQL does not see that it was run
                first.say(query(0, "CREATE TABLE postgres.planet (id int)"))
            assert [voice.say(run)[1].raw[11:] for voice in other] == [b"12", b"0"]
        finally:
            sides.tell_both(pair, "DROP SCHEMA postgres CASCADE")


@pool_transaction
def test_a_temporary_relation_made_again_is_seen_by_another_backend(sides: Sides) -> None:
    steps = (
        query(0, "CREATE TEMPORARY TABLE draft (id int)"),
        query(0, "DISCARD ALL"),
        Step(0, (Part(parse("s", "SELECT count(*) FROM planet") + SYNC),)),
        query(0, "CREATE TEMPORARY TABLE planet (id int)"),
        Step(0, (Part(bind("", "s") + execute() + SYNC),)),
    )
    with sides.pairs(1) as (pair,):
        last = [[voice.say(step) for step in steps][-1][1].raw[11:] for voice in pair]
        assert last == [b"12", b"0"]


def test_set_transaction_may_follow_a_read_from_memory(sides: Sides) -> None:
    strict = query(0, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    with sides.pairs(1) as (pair,):
        remembered(pair.proxied)
        direct, proxied = both(pair, query(0, "BEGIN"), query(0, PLANETS), strict)
        assert (direct[-2:], proxied[-2:]) == (b"EZ", b"CZ")
        assert values(pair.proxied, "SHOW transaction_isolation") == ["repeatable read"]


def test_an_execute_with_a_row_limit_goes_to_the_origin(sides: Sides) -> None:
    limited = Step(0, (Part(parse("", PLANETS) + bind("", "") + describe_portal() + execute("", 5) + SYNC),))
    with sides.pairs(1) as (pair,):
        remembered(pair.proxied)
        for _ in range(3):
            direct, proxied = both(pair, limited)
            assert proxied == direct
            assert last_outcome(pair.proxied) == ("bypass", "portal")


def test_replication_is_refused(sides: Sides) -> None:
    first = startup({"user": SUPERUSER, "database": "{database}", "replication": "database"})
    length = int.from_bytes(first[:4], "big")
    heard = []
    for url in (sides.direct, sides.proxied):
        parts = urlsplit(url)
        assert parts.port is not None
        name = parts.path[1:].encode()
        own = first.replace(b"{database}", name)
        own = (length + len(name) - len(b"{database}")).to_bytes(4, "big") + own[4:]
        with Guest(parts.port) as guest:
            heard.append((guest.log_in(own, SUPERUSER, PASSWORD), told(guest.heard)[-1]))
    assert heard[0][0]
    assert not heard[1][0]
    assert "0A000" in heard[1][1]


def test_the_proxys_own_commands_are_answered(sides: Sides) -> None:
    with sides.pairs(1) as (pair,):
        direct, proxied = both(pair, query(0, "SHOW orrery.last"))
        assert (direct, proxied) == (b"EZ", b"TDCZ")
