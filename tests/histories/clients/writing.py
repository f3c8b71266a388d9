"""The writes, in as many forms as there are ways past a proxy: each tells what it does before it does it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from tests.histories.clients import reading
from tests.histories.clients.drivers import Refused
from tests.histories.clients.reading import Action
from tests.histories.clients.session import COUNTERS, PAIRS, PLACES, REGISTERS, WATCHED, Session, whole
from tests.histories.journal import Effect, now

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.histories.clients.drivers import Rows, Statement
    from tests.histories.clients.session import Numbers

_UPDATE: Final = "UPDATE registers SET token = $1, number = number + 1 WHERE id = $2"
_RETURNING: Final = f"{_UPDATE} RETURNING number"
# Each is one statement that returns the number it has given.
_FORMS: Final = (
    _RETURNING,
    _RETURNING,
    f"WITH w AS ({_RETURNING}) SELECT number FROM w",
    (
        "INSERT INTO registers (token, id, number) VALUES ($1, $2, 0) ON CONFLICT (id)"
        " DO UPDATE SET token = excluded.token, number = registers.number + 1 RETURNING number"
    ),
)
_MOST_ROWS: Final = 6  # of one client; then it is time for some to go


def _told(rows: Rows) -> int:
    return whole(rows[0][0])


async def register(s: Session) -> None:
    """A register by its key, in one of several words."""
    await _register(s, s.random.choice(_FORMS))


async def _register(s: Session, form: str) -> None:
    which, token = s.hot(REGISTERS), s.token()
    name = f"register {which}"

    async def run() -> Numbers:
        return {name: _told(await s.driver.run(form, token, which))}

    await s.write(form, [Effect("update", name, token)], run)


async def register_by_function(s: Session) -> None:
    """Through a function: what it reaches cannot be read from the statement."""
    which, token = s.hot(REGISTERS), s.token()
    name, form = f"register {which}", "SELECT set_register($1, $2)"

    async def run() -> Numbers:
        return {name: _told(await s.driver.run(form, which, token))}

    await s.write(form, [Effect("update", name, token)], run)


async def register_blindly(s: Session) -> None:
    """Without being told the number."""
    which, token = s.hot(REGISTERS), s.token()

    async def run() -> Numbers:
        await s.driver.run(_UPDATE, token, which)
        return {}

    await s.write(_UPDATE, [Effect("update", f"register {which}", token)], run)


async def register_in_text(s: Session) -> None:
    """A Query of several statements that ends in an error: undone, unless a COMMIT stands before it."""
    which, token = s.hot(REGISTERS), s.token()
    update = f"UPDATE registers SET token = '{token}', number = number + 1 WHERE id = {which}"
    commits = s.random.random() < 0.5
    form = f"{update}; {'COMMIT; ' if commits else ''}SELECT 1/0"

    async def run() -> Numbers:
        try:
            await s.driver.text(form)
        except Refused as refused:
            return {} if commits and refused.sqlstate == "22012" else None
        return None

    await s.write(form, [Effect("update", f"register {which}", token)], run)


async def count(s: Session) -> None:
    """A counter goes up by one."""
    which = s.hot(COUNTERS)
    name, form = f"counter {which}", "UPDATE counters SET n = n + 1 WHERE id = $1 RETURNING n"

    async def run() -> Numbers:
        return {name: _told(await s.driver.run(form, which))}

    await s.write(form, [Effect("update", name, "")], run)


async def transfer(s: Session) -> None:
    """From one row of a pair to the other: in one statement, one text, one pipeline or one block."""
    which, token, amount = s.hot(PAIRS), s.token(), s.random.randint(-9, 9)
    name, effects = f"pair {which}", [Effect("update", f"pair {which}", token)]
    one = "UPDATE accounts SET amount = amount + $1, token = $2, number = number + 1 WHERE id = $3"
    halves: list[Statement] = [
        (one, (amount, token, which * 10)),
        (f"{one} RETURNING number", (-amount, token, which * 10 + 1)),
    ]

    async def in_text() -> Numbers:
        said = [
            f"UPDATE accounts SET amount = amount + {change}, token = '{token}', number = number + 1"
            f" WHERE id = {which * 10 + side}"
            for side, change in enumerate((amount, -amount))
        ]
        await s.driver.text("; ".join(said))
        return {}

    async def in_one() -> Numbers:
        both = (
            "UPDATE accounts SET amount = amount + $1 * (1 - 2 * mod(id, 2)), token = $2, number = number + 1"
            " WHERE pair = $3 RETURNING number"
        )
        return {name: _told(await s.driver.run(both, amount, token, which))}

    async def in_pipeline() -> Numbers:
        begin: Statement = ("BEGIN", ())
        answers = await s.driver.pipeline([begin, *halves, ("COMMIT", ())])
        return {name: _told(answers[2])}

    ways = [("text", in_text), ("one statement", in_one)]
    ways += [("pipeline", in_pipeline)] if s.driver.pipelines else []
    way, run = s.random.choice([*ways, ("block", None)])
    if run is None:
        await _block(s, f"block: {one}", halves, effects, [reading.pair, reading.all_pairs])
    else:
        await s.write(f"{way}: {one}", effects, run)


async def register_in_block(s: Session) -> None:
    """UPDATE between BEGIN and COMMIT, or ROLLBACK, with reads of its own and of others' rows."""
    which, token = s.hot(REGISTERS), s.token()
    effects = [Effect("update", f"register {which}", token)]
    look = [reading.register, reading.all_registers, reading.counter]
    await _block(s, f"block: {_RETURNING}", [(_RETURNING, (token, which))], effects, look)


async def _block(
    s: Session, form: str, statements: list[Statement], effects: list[Effect], look: Sequence[Action]
) -> None:
    """A transaction of these statements; the last one returns the number. It commits three times in four."""
    await s.driver.text("BEGIN")
    sent = False
    try:
        for sql, values in statements:
            number = await s.driver.run(sql, *values)
        s.own = {effect.object: effect.token for effect in effects}
        for _ in range(s.random.randint(0, 2)):
            await s.random.choice(look)(s)
        s.own = {}
        if s.random.random() < 0.25:
            s.never(f"{form}; ROLLBACK", effects)
            sent = True
            await s.driver.text("ROLLBACK")
            return

        async def commit() -> Numbers:
            if await s.driver.text("COMMIT") != "COMMIT":
                return None
            return {effect.object: _told(number) for effect in effects}

        sent = True
        await s.write(f"{form}; COMMIT", effects, commit)
    finally:
        s.own = {}
        if not sent:
            s.never(f"{form}; ended before its COMMIT", effects)


async def register_in_savepoint(s: Session) -> None:
    """Two values, the first undone by ROLLBACK TO: only the second is ever to be seen."""
    which, undone, kept = s.hot(REGISTERS), s.token(), s.token()
    name = f"register {which}"
    s.never(f"{_UPDATE}; ROLLBACK TO a", [Effect("update", name, undone)])
    effects = [Effect("update", name, kept)]
    await s.driver.text("BEGIN")
    await s.driver.text("SAVEPOINT a")
    await s.driver.run(_UPDATE, undone, which)
    await s.driver.text("ROLLBACK TO a")
    await reading.register(s)
    await s.driver.text("RELEASE a")
    await _rest_of_block(s, effects, which, kept)


async def _rest_of_block(s: Session, effects: list[Effect], which: int, token: str) -> None:
    number = _told(await s.driver.run(_RETURNING, token, which))

    async def commit() -> Numbers:
        return {effects[0].object: number} if await s.driver.text("COMMIT") == "COMMIT" else None

    await s.write(f"savepoint, {_RETURNING}; COMMIT", effects, commit)


async def write_then_read_in_pipeline(s: Session) -> None:
    """One flight: a write, and behind it a read in the same implicit transaction, which must see it."""
    if not s.driver.pipelines:
        await register(s)
        return
    which, token = s.hot(REGISTERS), s.token()
    name, sql = f"register {which}", "SELECT token, number FROM registers WHERE id = $1"
    began = now()

    async def run() -> Numbers:
        written, seen = await s.driver.pipeline([(_RETURNING, (token, which)), (sql, (which,))])
        s.own = {name: token}
        s.saw(f"pipeline behind its own write: {sql}", began, {name: [reading.shown(row) for row in seen]})
        s.own = {}
        return {name: _told(written)}

    await s.write(f"pipeline: {_RETURNING}", [Effect("update", name, token)], run)


async def watched(s: Session) -> None:
    """A row that a trigger copies into another table."""
    which, token = s.hot(WATCHED), s.token()
    names = f"watched {which}", f"copy {which}"
    form = "UPDATE watched SET token = $1, number = number + 1 WHERE id = $2 RETURNING number"

    async def run() -> Numbers:
        return dict.fromkeys(names, _told(await s.driver.run(form, token, which)))

    await s.write(form, [Effect("update", name, token) for name in names], run)


async def appear(s: Session) -> None:
    """Rows appear in a place: by INSERT, by COPY, or with a trip."""
    if len(s.mine) >= _MOST_ROWS:
        await vanish(s)
        return
    place = s.hot(PLACES)
    await s.random.choice((_insert, _insert, _copy, _set_out))(s, place)


async def _insert(s: Session, place: int) -> None:
    token, form = s.token(), "INSERT INTO visits (token, place) VALUES ($1, $2)"

    async def run() -> Numbers:
        await s.driver.run(form, token, place)
        return {}

    if await s.write(form, [Effect("appear", f"place {place}", token)], run):
        s.mine.append((token, place, False))


async def _copy(s: Session, place: int) -> None:
    tokens = [s.token() for _ in range(2)]

    async def run() -> Numbers:
        await s.driver.copy("visits", ("token", "place"), [(token, place) for token in tokens])
        return {}

    effects = [Effect("appear", f"place {place}", token) for token in tokens]
    if await s.write("COPY visits (token, place) FROM STDIN", effects, run):
        s.mine += [(token, place, False) for token in tokens]


async def _set_out(s: Session, place: int) -> None:
    token = s.token()
    form = (
        "WITH t AS (INSERT INTO trips (token) VALUES ($1) RETURNING token)"
        " INSERT INTO visits (token, place, trip) SELECT token, $2, token FROM t"
    )

    async def run() -> Numbers:
        await s.driver.run(form, token, place)
        return {}

    if await s.write(form, [Effect("appear", f"place {place}", token)], run):
        s.mine.append((token, place, True))


async def vanish(s: Session) -> None:
    """A row of this client's goes: by DELETE, or by a cascade from its trip."""
    if not s.mine:
        await appear(s)
        return
    token, place, trip = s.mine.pop(s.random.randrange(len(s.mine)))
    form = f"DELETE FROM {'trips' if trip else 'visits'} WHERE token = $1"

    async def run() -> Numbers:
        await s.driver.run(form, token)
        return {}

    try:
        await s.write(form, [Effect("vanish", f"place {place}", token)], run)
    except Refused:
        s.mine.append((token, place, trip))
        raise


async def exchange_stage(s: Session) -> None:
    """DDL: another table takes the name, and with it come other rows."""
    token = s.token()
    effects = [Effect("update", "stage 1", token)]
    prepared = (
        "LOCK TABLE stage IN ACCESS EXCLUSIVE MODE",
        f"UPDATE backdrop SET token = '{token}', number = (SELECT number FROM stage) + 1",
        "ALTER TABLE stage RENAME TO middle",
        "ALTER TABLE backdrop RENAME TO stage",
        "ALTER TABLE middle RENAME TO backdrop",
    )
    await s.driver.text("BEGIN")
    for sql in prepared:
        await s.driver.text(sql)

    async def commit() -> Numbers:
        return {} if await s.driver.text("COMMIT") == "COMMIT" else None

    await s.write("BEGIN; ALTER TABLE stage RENAME ...; COMMIT", effects, commit)


async def new_index(s: Session) -> None:
    """DDL that changes no row."""
    await s.driver.text("CREATE INDEX IF NOT EXISTS by_token ON registers (token)")
    with suppress(Refused):
        await s.driver.text("DROP INDEX IF EXISTS by_token")


WRITES: Final[tuple[tuple[float, Action], ...]] = (
    (30, register),
    (6, register_blindly),
    (6, register_in_text),
    (8, register_in_block),
    (4, register_in_savepoint),
    (6, write_then_read_in_pipeline),
    (1.5, register_by_function),
    (12, count),
    (12, transfer),
    (10, appear),
    (8, vanish),
    (2, watched),
    (0.7, exchange_stage),
    (0.3, new_index),
)
