"""The reads: by key, by scan, through a view, in pairs, by place; alone or in READ COMMITTED blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from tests.histories.clients.session import COUNTERS, PAIRS, PLACES, REGISTERS, WATCHED, Session, whole
from tests.histories.history import Row
from tests.histories.journal import now

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.histories.clients.drivers import Rows

_WATCHED: Final = "SELECT token, number FROM watched WHERE id = $1"
_COPY: Final = "SELECT token, number FROM copies WHERE id = $1"
_COUNTER: Final = "SELECT '', n FROM counters WHERE id = $1"
_VISITS: Final = "SELECT token FROM visits WHERE place = $1"

Action: TypeAlias = "Callable[[Session], Awaitable[None]]"


def shown(columns: tuple[object, ...]) -> Row:
    """Value, number and, for pairs, the amount."""
    token, number, *amount = columns
    return Row(str(token), whole(number), *(whole(a) for a in amount))


async def _one(s: Session, sql: str, kind: str, identity: int) -> None:
    began, rows = await s.rows(sql, identity)
    s.saw(sql, began, {f"{kind} {identity}": [shown(row) for row in rows]})


async def register(s: Session) -> None:
    """One register by its key."""
    await _one(s, "SELECT token, number FROM registers WHERE id = $1", "register", s.hot(REGISTERS))


async def register_by_view(s: Session) -> None:
    """The same, through a view."""
    await _one(s, "SELECT token, number FROM register_view WHERE id = $1", "register", s.hot(REGISTERS))


async def watched(s: Session) -> None:
    """A row whose changes a trigger copies."""
    await _one(s, _WATCHED, "watched", s.hot(WATCHED))


async def copy_of_watched(s: Session) -> None:
    """The copy."""
    await _one(s, _COPY, "copy", s.hot(WATCHED))


async def stage(s: Session) -> None:
    """A table that others exchange for another one."""
    await _one(s, "SELECT token, number FROM stage WHERE id = $1", "stage", 1)


async def counter(s: Session) -> None:
    """A counter by its key."""
    await _one(s, _COUNTER, "counter", s.hot(COUNTERS))


async def all_registers(s: Session) -> None:
    """All of them in one answer."""
    sql = "SELECT id, token, number FROM registers ORDER BY id"
    began, rows = await s.rows(sql)
    s.saw(sql, began, {f"register {row[0]}": [shown(row[1:])] for row in rows})


async def pair(s: Session) -> None:
    """Both rows of a pair by its number."""
    which = s.hot(PAIRS)
    sql = "SELECT token, number, amount FROM accounts WHERE pair = $1 ORDER BY id"
    began, rows = await s.rows(sql, which)
    s.saw(sql, began, {f"pair {which}": [shown(row) for row in rows]})


async def all_pairs(s: Session) -> None:
    """All of them in one answer, joined with themselves."""
    sql = (
        "SELECT a.pair, a.token, a.number, a.amount, b.token, b.number, b.amount"
        " FROM accounts AS a JOIN accounts AS b ON b.id = a.id + 1 AND b.pair = a.pair"
    )
    began, rows = await s.rows(sql)
    s.saw(sql, began, {f"pair {row[0]}": [shown(row[1:4]), shown(row[4:])] for row in rows})


async def visits(s: Session) -> None:
    """Which rows there are in a place."""
    await _visits(s, s.hot(PLACES))


async def _visits(s: Session, place: int) -> None:
    began, rows = await s.rows(_VISITS, place)
    s.journal.scan(s.how(_VISITS), began, f"place {place}", [str(row[0]) for row in rows])


async def in_block(s: Session) -> None:
    """Some reads inside BEGIN and COMMIT, each with a snapshot of its own."""
    await s.driver.text("BEGIN")
    for _ in range(s.random.randint(1, 3)):
        await pick(s, IN_BLOCK)(s)
    await s.driver.text("COMMIT")


async def in_pipeline(s: Session) -> None:
    """Several reads in one flight: each may have happened at any moment of it."""
    if not s.driver.pipelines:
        await register(s)
        return
    sql = "SELECT token, number FROM registers WHERE id = $1"
    asked = [s.hot(REGISTERS) for _ in range(3)]
    began = now()
    answers: list[Rows] = await s.driver.pipeline([(sql, (identity,)) for identity in asked])
    for identity, rows in zip(asked, answers, strict=True):
        s.saw(f"pipeline: {sql}", began, {f"register {identity}": [shown(row) for row in rows]})


async def everything(s: Session) -> None:
    """Each object once."""
    await all_registers(s)
    await all_pairs(s)
    await stage(s)
    for place in PLACES:
        await _visits(s, place)
    for identity in WATCHED:
        await _one(s, _WATCHED, "watched", identity)
        await _one(s, _COPY, "copy", identity)
    for identity in COUNTERS:
        await _one(s, _COUNTER, "counter", identity)


def pick(s: Session, actions: tuple[tuple[float, Action], ...]) -> Action:
    """One of them, as often as their weights say."""
    return s.random.choices([action for _, action in actions], [weight for weight, _ in actions])[0]


ALONE: Final[tuple[tuple[float, Action], ...]] = (
    (30, register),
    (6, register_by_view),
    (6, all_registers),
    (14, counter),
    (10, pair),
    (4, all_pairs),
    (10, visits),
    (4, watched),
    (4, copy_of_watched),
    (4, stage),
)
# Several in the flight that has to open the block, too.
IN_BLOCK: Final[tuple[tuple[float, Action], ...]] = (*ALONE, (30, in_pipeline))
READS: Final[tuple[tuple[float, Action], ...]] = (*ALONE, (3, in_block), (3, in_pipeline))
