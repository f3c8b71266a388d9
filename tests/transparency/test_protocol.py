"""Message by message: portals, formats, pipelines, COPY, FunctionCall, NOTIFY, and what is out of order."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Final

import pytest

from proxy.wire import frontend
from proxy.wire.framing import compose
from tests.differential import messages
from tests.differential.messages import Parameter, Part, Step, query

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.transparency.sides import Sides

pytestmark = pytest.mark.postgres

SYNC: Final = frontend.SYNC_FRAME
PLANETS: Final = "SELECT id, name, mass, found FROM planet ORDER BY id"
BY_KEY: Final = "SELECT id, name, mass, found FROM planet WHERE id = $1"
_INT: Final = Struct(">i")
_SHORT: Final = Struct(">h")
INT4, INT8, TEXT, NUMERIC = 23, 20, 25, 1700


def parse(sql: str, name: str = "", types: Sequence[int] = ()) -> bytes:
    return messages.parse(name, sql, [Parameter(None, oid) for oid in types])


def run(
    sql: str,
    parameters: Sequence[Parameter] = (),
    results: Sequence[int] = (),
    *,
    described: bool = True,
    limit: int = 0,
) -> bytes:
    """Parse to Execute of an unnamed statement."""
    bound = messages.parse("", sql, parameters) + messages.bind("", "", parameters, results)
    return bound + (messages.describe_portal() if described else b"") + messages.execute("", limit)


def said(frames: bytes, *, client: int = 0, syncs: int = 1, read: bool = False) -> Step:
    """One flight, answered by so many ReadyForQuery."""
    return Step(client, (Part(frames, count=syncs),), read=read)


def synced(frames: bytes, *, client: int = 0, read: bool = False) -> Step:
    """The same, with its Sync."""
    return said(frames + SYNC, client=client, read=read)


def number(value: int) -> Parameter:
    return Parameter(_INT.pack(value), INT4, 1)


# Descriptions and formats


@pytest.mark.parametrize("types", [(), (INT4,), (INT8,), (0,)])
def test_describe_of_a_statement_tells_its_parameters_and_columns(sides: Sides, types: Sequence[int]) -> None:
    sides.play(
        synced(parse(BY_KEY, "s", types) + messages.describe_statement("s")),
        synced(messages.describe_statement("s")),
        synced(messages.bind("p", "s", [Parameter(b"3")]) + messages.describe_portal("p")),
        synced(messages.describe_portal("p")),
    )


def test_describe_of_statements_without_rows(sides: Sides) -> None:
    for sql in ("DELETE FROM planet WHERE id = $1", "BEGIN", "", "SET timezone = 'UTC'", "LISTEN x"):
        sides.play(synced(parse(sql, "s") + messages.describe_statement("s")), query(0, "ROLLBACK"))


def test_a_statement_of_memory_can_be_described_afterwards(sides: Sides) -> None:
    made = synced(parse(BY_KEY, "s", (INT4,)))
    asked = synced(messages.bind("", "s", [number(3)]) + messages.execute(), read=True)
    described = synced(messages.describe_statement("s"))
    tally = sides.play(made, asked, described, asked, described)
    assert tally.answered == 2


@pytest.mark.parametrize("results", [(), (0,), (1,), (0, 1, 1, 0), (1, 0, 0, 1)])
def test_results_in_text_binary_and_mixed(sides: Sides, results: Sequence[int]) -> None:
    for described in (True, False):
        tally = sides.play(synced(run(PLANETS, (), results, described=described), read=True))
        assert tally.answered == 1


@pytest.mark.parametrize("results", [(7,), (0, 1), (1, 1, 1, 1, 1)])
def test_wrong_formats_are_refused_alike(sides: Sides, results: Sequence[int]) -> None:
    sides.play(synced(run(PLANETS, (), results)), synced(run(PLANETS, (), (1,)), read=True))


@pytest.mark.parametrize(
    "parameter",
    [
        Parameter(b"3"),
        Parameter(b" 3 "),
        number(3),
        Parameter(None, INT4),
        Parameter(b"x", INT4),
        Parameter(b"3000000000", INT4),
        Parameter(b"\0\0\3", INT4, 1),
        Parameter(b"", INT4),
        Parameter(b"3", INT4, 5),
        Parameter(b"3.0", NUMERIC),
        Parameter(b"\xff\xff", TEXT),
        Parameter(b"planet 3", TEXT),
    ],
)
def test_parameters_right_and_wrong(sides: Sides, parameter: Parameter) -> None:
    sides.play(
        synced(run(BY_KEY, [parameter]), read=True),
        synced(run("SELECT $1 AS x, id FROM planet ORDER BY id", [parameter]), read=True),
        synced(run(PLANETS), read=True),
    )


def test_too_many_and_too_few_parameters(sides: Sides) -> None:
    for given in ([], [number(1)], [number(1), number(2)], [number(1)] * 3):
        sides.play(
            synced(
                parse("SELECT $1 + $2", "", (INT4, INT4)) + messages.bind("", "", given) + messages.execute()
            )
        )


def test_one_text_with_parameters_of_several_types(sides: Sides) -> None:
    text = "SELECT pg_typeof($1)::text, id FROM planet ORDER BY id"
    for value in (
        number(1),
        Parameter(b"\0\0\0\1", TEXT, 1),
        Parameter(b"1", INT8),
        Parameter(b"1", NUMERIC),
    ):
        sides.play(synced(run(text, [value]), read=True))


# Texts and values


@pytest.mark.parametrize(
    "text", [b"", b"SELECT '\xff'", b"SELECT name FROM planet WHERE name = '\xc3'", b"\xff"]
)
def test_bytes_that_are_no_utf8(sides: Sides, text: bytes) -> None:
    sides.play(
        said(frontend.query(text)), synced(frontend.parse(b"", text, b"")), query(0, PLANETS, read=True)
    )


def test_a_nul_in_a_text_or_a_value(sides: Sides) -> None:
    sides.play(
        synced(run("SELECT $1::text", [Parameter(b"a\0b", TEXT)])),
        synced(
            run("SELECT $1::bytea, name FROM planet ORDER BY id", [Parameter(b"a\0b", 17, 1)], (1,)),
            read=True,
        ),
        synced(run("SELECT ''::text, ''::bytea, name FROM planet ORDER BY id", (), (1,)), read=True),
    )


def test_very_long_lines_and_very_many_columns(sides: Sides) -> None:
    long = "x" * 200_000
    columns = ", ".join(f"id + {at} AS column_{at}" for at in range(1600))
    sides.play(
        query(0, f"SELECT '{long}', id FROM planet ORDER BY id", read=True),
        query(0, f"SELECT {columns} FROM planet ORDER BY id", read=True),
        query(0, f"SELECT {columns}, id FROM planet ORDER BY id, nosuch"),
        synced(run("SELECT $1, id FROM planet ORDER BY id", [Parameter(long.encode(), TEXT)]), read=True),
        query(0, f"SELECT 1 {' ' * 100_000} FRM"),
    )


def test_rows_without_columns(sides: Sides) -> None:
    sides.play(
        query(0, "SELECT FROM planet", read=True),
        synced(run("SELECT FROM planet"), read=True),
        synced(run("SELECT FROM planet", (), (1,)), read=True),
        query(0, "SELECT FROM planet WHERE false", read=True),
    )


def test_empty_queries_in_every_protocol(sides: Sides) -> None:
    for text in ("", ";", "  -- nothing", "/**/"):
        sides.play(
            query(0, text),
            synced(run(text)),
            synced(run(text, described=False)),
            synced(parse(text, "e")),
            synced(messages.bind("", "e") + messages.execute()),
            query(0, "BEGIN"),
            query(0, text),
            query(0, "ROLLBACK"),
        )


# Portals


def test_a_portal_with_a_row_limit(sides: Sides) -> None:
    bound = parse(PLANETS) + messages.bind("p", "")
    pieces = messages.execute("p", 5) + messages.execute("p", 5) + messages.execute("p", 5)
    sides.play(
        query(0, PLANETS, read=True),
        synced(bound + pieces + messages.execute("p")),
        query(0, "BEGIN"),
        synced(bound + messages.describe_portal("p") + messages.execute("p", 5)),
        synced(messages.execute("p", 100)),
        synced(messages.execute("p")),
        synced(
            messages.close_statement("nosuch") + frontend.close(frontend.PORTAL, b"p") + messages.execute("p")
        ),
        query(0, "ROLLBACK"),
    )


def test_portals_end_with_their_transaction(sides: Sides) -> None:
    bound = synced(parse(PLANETS) + messages.bind("p", ""))
    sides.play(
        bound,
        synced(messages.execute("p")),
        query(0, "BEGIN"),
        bound,
        bound,
        query(0, "ROLLBACK"),
        query(0, "BEGIN"),
        bound,
        query(0, "FETCH 2 FROM p"),
        query(0, "CLOSE p"),
        synced(messages.execute("p")),
        query(0, "ROLLBACK"),
    )


def test_a_cursor_of_sql_is_a_portal_as_well(sides: Sides) -> None:
    sides.play(
        query(0, "BEGIN"),
        query(0, f"DECLARE walk CURSOR FOR {PLANETS}"),
        synced(messages.describe_portal("walk") + messages.execute("walk", 2)),
        query(0, "FETCH 2 FROM walk"),
        synced(frontend.close(frontend.PORTAL, b"walk")),
        query(0, "FETCH 2 FROM walk"),
        query(0, "ROLLBACK"),
    )


def test_a_portal_of_a_write_runs_once(sides: Sides) -> None:
    text = "INSERT INTO archive VALUES (1, 2, 'once', 3) RETURNING *"
    bound = parse(text) + messages.bind("p", "") + messages.describe_portal("p")
    sides.play(
        synced(bound + messages.execute("p", 1) + messages.execute("p")),
        query(0, "SELECT count(*) FROM archive", read=True),
        query(0, "DELETE FROM archive"),
        query(0, "SELECT count(*) FROM archive", read=True),
    )


# Prepared statements


def test_names_in_use_names_unknown_and_names_closed(sides: Sides) -> None:
    sides.play(
        synced(parse(PLANETS, "s")),
        synced(parse("SELECT 1", "s")),
        synced(messages.bind("", "s") + messages.execute(), read=True),
        synced(messages.close_statement("s")),
        synced(messages.bind("", "s") + messages.execute()),
        synced(parse("SELECT 2", "s")),
        synced(messages.bind("", "s") + messages.execute()),
        query(0, "DEALLOCATE s"),
        synced(messages.bind("", "s") + messages.execute()),
        query(0, "PREPARE s AS SELECT 3"),
        synced(messages.describe_statement("s") + messages.bind("", "s") + messages.execute()),
        query(0, "DEALLOCATE ALL"),
        synced(messages.describe_statement("s")),
        query(0, "DISCARD ALL"),
    )


def test_a_prepared_statement_meets_new_columns(sides: Sides) -> None:
    asked = synced(messages.bind("", "s") + messages.describe_portal() + messages.execute(), read=True)
    sides.play(
        query(0, "CREATE TABLE moving AS SELECT 1 AS id"),
        synced(parse("SELECT * FROM moving ORDER BY id", "s")),
        asked,
        query(1, "ALTER TABLE moving ADD COLUMN word text DEFAULT 'x'"),
        asked,
        query(1, "ALTER TABLE moving DROP COLUMN word"),
        asked,
        query(1, "ALTER TABLE moving RENAME id TO number"),
        asked,
        query(1, "DROP TABLE moving"),
        asked,
    )


def test_a_prepared_statement_meets_other_settings(sides: Sides) -> None:
    text = "SELECT id, noted::text, noted > '2021-10-31 02:00', heat::text FROM star ORDER BY id"
    asked = synced(messages.bind("", "s") + messages.execute(), read=True)
    by_path = synced(messages.bind("", "t") + messages.execute(), read=True)
    sides.play(
        synced(parse(text, "s")),
        asked,
        query(0, "SET timezone = 'Asia/Tokyo'"),
        asked,
        asked,
        query(0, "SET extra_float_digits = -3"),
        asked,
        query(0, "BEGIN"),
        query(0, "SET LOCAL datestyle = 'German'"),
        asked,
        query(0, "ROLLBACK"),
        asked,
        query(0, "RESET ALL"),
        asked,
        synced(parse("SELECT count(*) FROM planet", "t")),
        by_path,
        query(0, "SET search_path = lab"),
        by_path,
        query(0, "SET ROLE reader"),
        by_path,
        query(0, "RESET ROLE"),
        query(0, "RESET ALL"),
        by_path,
    )


def test_a_prepared_write_run_again_by_name(sides: Sides) -> None:
    shown = query(0, "SELECT * FROM gauge ORDER BY id", read=True)
    write = synced(messages.bind("", "w", [number(2)]) + messages.execute())
    made = synced(parse("UPDATE gauge SET level = level + 1 WHERE id = $1", "w", (INT4,)))
    back = query(0, "UPDATE gauge SET level = id * 2")
    sides.play(
        made,
        shown,
        write,
        shown,
        write,
        shown,
        query(0, "BEGIN"),
        write,
        shown,
        query(0, "ROLLBACK"),
        shown,
        back,
    )


# Pipelines and errors in them


def test_a_long_pipeline_with_errors(sides: Sides) -> None:
    frames = b"".join(
        run(BY_KEY, [number(at)])
        + (SYNC if at % 3 else b"")
        + (parse("SELEC") + SYNC if at % 7 == 0 else b"")
        for at in range(300)
    )
    syncs = frames.count(SYNC)
    sides.play(said(frames + SYNC, syncs=syncs + 1), said(frames + SYNC, syncs=syncs + 1))


def test_a_pipeline_is_one_transaction_up_to_sync(sides: Sides) -> None:
    shown = query(0, "SELECT * FROM gauge ORDER BY id", read=True)
    write, wrong = run("UPDATE gauge SET level = level + 1 WHERE id = 1"), run("SELECT 1 / 0")
    asked = run("SELECT * FROM gauge ORDER BY id")
    sides.play(
        shown,
        synced(asked + write + asked),
        shown,
        synced(write + wrong + asked),
        shown,
        synced(run("BEGIN") + write + asked),
        shown,
        synced(run("ROLLBACK")),
        shown,
        synced(run("BEGIN") + write + run("COMMIT") + wrong + asked),
        shown,
        said(write + frontend.query(b"SELECT * FROM gauge ORDER BY id")),
        shown,
        said(write + wrong + frontend.query(b"SELECT 1") + SYNC),
        shown,
        query(0, "UPDATE gauge SET level = id * 2"),
    )


def test_flush_and_empty_syncs(sides: Sides) -> None:
    flushed = Step(0, (Part(run(PLANETS) + frontend.FLUSH_FRAME, b"CE"), Part(SYNC)), read=True)
    wrong = Step(0, (Part(run("SELECT 1 / 0") + frontend.FLUSH_FRAME, b"E"), Part(run(PLANETS) + SYNC)))
    sides.play(flushed, wrong, said(SYNC * 3, syncs=3), said(frontend.FLUSH_FRAME + SYNC), flushed)


# COPY


@pytest.mark.parametrize(
    "options", ["", "(FORMAT csv, HEADER)", "(FORMAT binary)", "(DELIMITER '|', NULL 'nil')"]
)
def test_copy_out_in_every_format(sides: Sides, options: str) -> None:
    for source in (
        "planet",
        "planet (id, name)",
        f"({PLANETS})",
        "(SELECT * FROM star ORDER BY id)",
        "(SELECT FROM planet)",
    ):
        text = f"COPY {source} TO STDOUT {options}"
        sides.play(query(0, text), synced(run(text)), query(0, text))


def copy_in(text: str, *pieces: bytes, end: bytes = frontend.COPY_DONE_FRAME) -> list[Step]:
    """The same COPY in both protocols."""
    data = b"".join(map(messages.copy_data, pieces)) + end
    return [said(frontend.query(text.encode()) + data), synced(run(text, described=False) + data)]


BINARY_ROW: Final = (
    b"PGCOPY\n\xff\r\n\0"
    + _INT.pack(0)
    + _INT.pack(0)
    + _SHORT.pack(2)
    + _INT.pack(4)
    + _INT.pack(7)
    + _INT.pack(5)
    + b"seven"
    + _SHORT.pack(-1)
)


def test_copy_in_in_every_format_and_its_failures(sides: Sides) -> None:
    steps = [
        *copy_in("COPY archive FROM STDIN", b"1\t2\ta\t3\n", b"2\t\\N\tb\t4\n"),
        *copy_in("COPY archive FROM STDIN", b"1\t2\ta", b"\t3\n\\.\n"),
        *copy_in("COPY archive (id, name) FROM STDIN (FORMAT csv)", b'5,"a,b"\n', b"6,\n"),
        *copy_in("COPY archive (id, name) FROM STDIN (FORMAT binary)", BINARY_ROW),
        *copy_in("COPY archive (id, name) FROM STDIN (FORMAT binary)", BINARY_ROW[:-4]),
        *copy_in("COPY archive FROM STDIN"),
        *copy_in("COPY archive FROM STDIN", b"x\ty\tz\t1\n"),
        *copy_in("COPY archive FROM STDIN", b"1\n"),
        *copy_in("COPY archive FROM STDIN", b"1\t2\ta\t3\t4\n"),
        *copy_in("COPY planet (id, name) FROM STDIN", b"1\ttwice\n"),
        *copy_in("COPY archive FROM STDIN", b"1\t2\t\xff\t3\n"),
        *copy_in("COPY archive FROM STDIN", b"1\t2\ta\t3\n", end=frontend.copy_fail(b"no more")),
        *copy_in("COPY nosuch FROM STDIN", b"1\n"),
        *copy_in("COPY archive (nosuch) FROM STDIN", b"1\n"),
        *copy_in("COPY archive FROM STDIN; SELECT count(*) FROM archive", b"1\t2\ta\t3\n"),
        query(0, "DELETE FROM archive"),
    ]
    shown = query(1, "SELECT count(*), max(name) FROM archive", read=True)
    sides.play(*(part for step in steps for part in (shown, step, shown)))


def test_a_query_in_the_middle_of_a_copy_ends_the_session(sides: Sides) -> None:
    begin = Step(0, (Part(frontend.query(b"COPY archive FROM STDIN"), b"G"),))
    sides.play(begin, said(frontend.query(b"SELECT 1")))


def test_flush_and_sync_in_the_middle_of_a_copy_are_ignored(sides: Sides) -> None:
    begin = Step(0, (Part(frontend.query(b"COPY archive FROM STDIN"), b"G"),))
    sides.play(begin, said(frontend.FLUSH_FRAME + SYNC + frontend.COPY_DONE_FRAME))


def test_data_of_a_copy_where_none_is_asked_for(sides: Sides) -> None:
    stray = messages.copy_data(b"1\t2\ta\t3\n") + frontend.COPY_DONE_FRAME + frontend.copy_fail(b"x")
    sides.play(said(stray + SYNC), query(0, PLANETS, read=True))


# FunctionCall: large objects as libpq uses them


def call(function: int, *arguments: bytes, binary: bool = True) -> Step:
    """FunctionCall; every argument and the result in one format."""
    code = _SHORT.pack(int(binary))
    values = b"".join(_INT.pack(len(argument)) + argument for argument in arguments)
    body = _INT.pack(function) + _SHORT.pack(1) + code + _SHORT.pack(len(arguments)) + values + code
    return said(compose(frontend.FUNCTION_CALL, body))


def test_large_objects_by_function_call(sides: Sides) -> None:
    lo_open, lo_close, loread, lowrite, lo_create, lo_unlink = 952, 953, 954, 955, 715, 964
    oid = _INT.pack(710001)
    sides.play(
        call(lo_create, oid),
        query(0, "BEGIN"),
        call(lo_open, oid, _INT.pack(0x60000)),
        call(lowrite, _INT.pack(0), b"hello\0world"),
        call(lo_close, _INT.pack(0)),
        query(0, "COMMIT"),
        query(0, "SELECT lo_get(710001)", read=True),
        query(0, "BEGIN"),
        call(lo_open, oid, _INT.pack(0x40000)),
        call(loread, _INT.pack(0), _INT.pack(100)),
        query(0, "ROLLBACK"),
        call(lo_unlink, oid),
        call(lo_unlink, oid),
        call(177, b"3", b"4", binary=False),
        call(177, b"x", b"4", binary=False),
        call(0),
        call(177),
    )


# NOTIFY


def heard(client: int = 0) -> Step:
    """Wait for a notification, saying nothing."""
    return Step(client, (Part(b"", b"A"),))


def test_notifications_arrive_where_and_when_they_do_without_the_proxy(sides: Sides) -> None:
    sides.play(
        query(0, "LISTEN news"),
        query(1, "NOTIFY news, 'from another'"),
        heard(),
        query(0, "NOTIFY news, 'from oneself'"),
        query(0, "SELECT pg_notify('news', '')"),
        query(1, "BEGIN"),
        query(1, "NOTIFY news, 'later'"),
        query(1, "NOTIFY news, 'later'"),
        query(0, PLANETS, read=True),
        query(1, "COMMIT"),
        heard(),
        query(1, "BEGIN"),
        query(1, "NOTIFY news, 'never'"),
        query(1, "ROLLBACK"),
        query(0, PLANETS, read=True),
        query(0, "BEGIN"),
        query(1, "NOTIFY news, 'between'"),
        query(0, PLANETS),
        query(0, "COMMIT"),
        query(0, "UNLISTEN *"),
        query(1, "NOTIFY news, 'unheard'"),
        query(0, PLANETS, read=True),
    )


# Out of order


@pytest.mark.parametrize(
    "frames",
    [
        messages.execute("nosuch"),
        messages.bind("", "nosuch"),
        messages.describe_statement("nosuch"),
        messages.describe_portal("nosuch"),
        messages.close_statement("nosuch"),
        frontend.close(frontend.PORTAL, b"nosuch"),
        messages.execute(),
        messages.parse("", "SELECT 1; SELECT 2"),
        messages.parse("", PLANETS) + messages.bind("", "") + messages.execute() + messages.execute(),
        messages.parse("", "COMMIT") + messages.bind("", "") + messages.execute(),
    ],
)
def test_messages_that_make_no_sense(sides: Sides, frames: bytes) -> None:
    asked = query(0, PLANETS, read=True)
    sides.play(asked, synced(frames), asked, query(0, "BEGIN"), synced(frames), asked, query(0, "ROLLBACK"))
