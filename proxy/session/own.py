"""The statements that the proxy answers itself, in the simple and in the extended protocol alike.

Rows are made of text, int8 and float8 columns, in the formats that the client's Bind asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from struct import Struct
from typing import TYPE_CHECKING, Final

from proxy.errors import ClientFault, OrreryError
from proxy.metrics.templates import Template
from proxy.session import batch as steps
from proxy.session.formats import result_formats
from proxy.session.transaction import FAILED, IDLE
from proxy.sql import commands, reasons
from proxy.sql.analysis import ResetSetting, SetSetting
from proxy.wire import backend
from proxy.wire.backend import Column

if TYPE_CHECKING:
    from proxy.session.batch import Batch, OwnStep
    from proxy.session.session import Session

TEXT: Final = 25
INT8: Final = 20
FLOAT8: Final = 701
OID_SIZES: Final = {TEXT: -1, INT8: 8, FLOAT8: 8}

Value = str | int | float | None
Rows = Sequence[Sequence[Value]]

_INT8: Final = Struct(">q")
_FLOAT8: Final = Struct(">d")

_ABORTED: Final = backend.error_response(
    "ERROR", "25P02", "current transaction is aborted, commands ignored until end of transaction block"
)

_OF_ALL_WORKERS: Final = ("status", "stats", "queries")

_COLUMNS: Final[dict[str, tuple[tuple[str, int], ...]]] = {
    "last": (("outcome", TEXT), ("reason", TEXT), ("age_ms", INT8), ("ttl_ms", INT8)),
    "cache": (("orrery.cache", TEXT),),
    "status": (("name", TEXT), ("value", TEXT)),
    "stats": (("name", TEXT), ("value", INT8)),
    "queries": (
        ("role", TEXT),
        ("query", TEXT),
        ("calls", INT8),
        ("hits", INT8),
        ("hit_ratio", FLOAT8),
        ("fills", INT8),
        ("reason", TEXT),
        ("ttl_ms", INT8),
        ("bytes", INT8),
        ("mean_ms_hit", FLOAT8),
        ("mean_ms_origin", FLOAT8),
        ("saved_ms", FLOAT8),
    ),
    "why": (("outcome", TEXT), ("reason", TEXT), ("meaning", TEXT), ("remedy", TEXT)),
}


def decide_purges(session: Session, batch: Batch) -> None:
    """Before a batch is sent: which purges in it are allowed is known by now, or nobody would skip what
    follows one that is refused.
    """
    for asked in batch.own:
        if asked.kind == steps.EXECUTE and isinstance(asked.command, commands.Purge):
            try:
                asked.act = session.port.purge(asked.command.table)
            except OrreryError as refusal:
                batch.refuse(asked, commands.Refused(str(refusal), refusal.sqlstate))


def concerns_workers(batch: Batch) -> bool:
    """Does a command in it show figures of all workers, or drop what all of them remember?"""
    return any(
        isinstance(command, commands.Purge)
        or (isinstance(command, commands.Show) and command.topic in _OF_ALL_WORKERS)
        for command in _commands(batch)
    )


def purges(batch: Batch) -> list[tuple[str, ...] | None]:
    """The tables that it drops, None for everything."""
    return [command.table for command in _commands(batch) if isinstance(command, commands.Purge)]


def shows_queries(batch: Batch) -> bool:
    """Does it ask for the figures of statement templates? They are many."""
    return any(isinstance(one, commands.Show) and one.topic == "queries" for one in _commands(batch))


def _commands(batch: Batch) -> list[commands.Command]:
    asked = (one.command for one in batch.own if one.kind in (steps.EXECUTE, steps.QUERY))
    return [command for command in asked if command is not None]


def query(session: Session, command: commands.Command) -> list[bytes]:
    """The whole answer to a command that came as Query, without ReadyForQuery."""
    if session.transaction.status == FAILED:
        return [_ABORTED]
    try:
        rows, tag = _run(session, command)
    except OrreryError as refusal:
        session.uplink.abort_transaction()
        return [backend.error_response("ERROR", refusal.sqlstate, str(refusal))]
    columns = _columns(command)
    if not columns:
        return [backend.command_complete(tag)]
    formats = [0] * len(columns)
    return [_description(columns, formats), *_data(columns, formats, rows), backend.command_complete(tag)]


def step(session: Session, asked: OwnStep) -> bytes:
    """The answer to one message of the extended protocol that concerns a command of ours."""
    if asked.kind == steps.MEMORY:
        return asked.reply
    if asked.kind == steps.QUERY:
        assert asked.command is not None
        return b"".join(query(session, asked.command))
    if session.transaction.status == FAILED and asked.kind != steps.CLOSE:
        return _ABORTED
    command = asked.command
    assert command is not None
    columns = _columns(command)
    if asked.kind == steps.PARSE:
        return backend.PARSE_COMPLETE_FRAME
    if asked.kind == steps.BIND:
        return backend.BIND_COMPLETE_FRAME
    if asked.kind == steps.CLOSE:
        return backend.CLOSE_COMPLETE_FRAME
    if asked.kind == steps.EXECUTE:
        return _execute(session, command, columns, asked)
    described = (
        _description(columns, result_formats(asked.tail, len(columns))) if columns else backend.NO_DATA_FRAME
    )
    return (
        backend.parameter_description(()) + described if asked.kind == steps.DESCRIBE_STATEMENT else described
    )


def _execute(
    session: Session, command: commands.Command, columns: Sequence[tuple[str, int]], asked: OwnStep
) -> bytes:
    try:
        rows, tag = _run(session, command, asked.act)
    except OrreryError as refusal:
        session.uplink.abort_transaction()
        return backend.error_response("ERROR", refusal.sqlstate, str(refusal))
    return b"".join(
        (*_data(columns, result_formats(asked.tail, len(columns)), rows), backend.command_complete(tag))
    )


def _run(
    session: Session, command: commands.Command, act: Callable[[], None] | None = None
) -> tuple[Rows, bytes]:
    """Rows and command tag. Raises ``OrreryError`` where the role may not; ``act``: it may."""
    if isinstance(command, commands.SetCache):
        change = SetSetting("orrery.cache", "on" if command.on else "off", command.local)
        session.state.apply(change, in_transaction=session.transaction.status != IDLE)
        session.reconsider()
        return (), b"SET"
    if isinstance(command, commands.ResetCache):
        session.state.apply(
            ResetSetting("orrery.cache", command.local), in_transaction=session.transaction.status != IDLE
        )
        session.reconsider()
        return (), b"RESET"
    if isinstance(command, commands.Refused):
        fault = ClientFault(command.message)
        fault.sqlstate = command.sqlstate
        raise fault
    if isinstance(command, commands.Purge):
        purge = act or session.port.purge(command.table)
        purge()
        return (), b"ORRERY PURGE"
    if isinstance(command, commands.Why):
        return (_why(session, command.text),), b"SHOW"
    return _TOPICS[command.topic](session), b"SHOW"


def _last(session: Session) -> Rows:
    last = session.last
    expiring = session.memory.expiring
    return ((last.outcome or None, last.reason or None, last.age_ms(), last.ttl_ms(expiring=expiring)),)


def _queries(session: Session) -> Rows:
    role = None if session.port.sees_all_roles() else session.state.current_user
    return [_query_row(template) for template in session.port.templates(role)]


def _query_row(template: Template) -> tuple[Value, ...]:
    return (
        template.role,
        template.text,
        template.calls,
        template.hits + template.coalesced,
        round(template.hit_ratio, 4),
        template.fills,
        template.reason or None,
        None if template.ttl is None else int(template.ttl * 1000),
        template.bytes,
        round(template.mean_hit_ms, 4),
        round(template.mean_origin_ms, 4),
        round(template.saved_seconds * 1000, 3),
    )


_TOPICS: Final[dict[str, Callable[[Session], Rows]]] = {
    "last": _last,
    "cache": lambda session: (("on" if session.state.cache_wanted else "off",),),
    "status": lambda session: session.port.status(),
    "stats": lambda session: session.port.stats(),
    "queries": _queries,
}


def _why(session: Session, text: str) -> tuple[Value, ...]:
    outcome, reason = session.would_be(text.encode())
    if not reason:
        return outcome, None, None, None
    meaning, remedy = reasons.REASONS[reason]
    return outcome, reason, meaning, remedy


def _columns(command: commands.Command) -> tuple[tuple[str, int], ...]:
    if isinstance(command, commands.Why):
        return _COLUMNS["why"]
    return _COLUMNS[command.topic] if isinstance(command, commands.Show) else ()


def _description(columns: Sequence[tuple[str, int]], formats: Sequence[int]) -> bytes:
    pairs = zip(columns, formats, strict=True)
    return backend.row_description([Column(name, oid, OID_SIZES[oid], code) for (name, oid), code in pairs])


def _data(columns: Sequence[tuple[str, int]], formats: Sequence[int], rows: Rows) -> list[bytes]:
    return [
        backend.data_row([_encode(v, oid, f) for v, (_, oid), f in zip(row, columns, formats, strict=True)])
        for row in rows
    ]


def _encode(value: Value, oid: int, code: int) -> bytes | None:
    if value is None:
        return None
    if code == 0 or oid == TEXT:
        return str(value).encode(errors="surrogateescape")  # the origin's own bytes
    return _INT8.pack(int(value)) if oid == INT8 else _FLOAT8.pack(float(value))
