"""Several clients at once, in lock-step: their transactions interleave, and nobody waits for anybody.

Each client writes rows of its own, so that no lock is ever waited for; it reads those of all. Both twins see
the same order of the same statements.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.wire import frontend
from tests.differential import messages
from tests.differential.messages import Parameter, Part, Step

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

_ROWS: Final = 12
_MOVES: Final = 30
_BEGINNINGS: Final = (
    *("BEGIN",) * 4,
    "BEGIN ISOLATION LEVEL REPEATABLE READ",
    "BEGIN ISOLATION LEVEL SERIALIZABLE",
    "BEGIN READ ONLY",
)
_WHOLE: Final = (
    "SELECT * FROM register ORDER BY id",
    "SELECT sum(level), count(*) FROM register",
    "SELECT id, word, level FROM renamed ORDER BY id",
    "SELECT a.id, b.level FROM register a JOIN register b ON b.id = a.level % 12 + 1 ORDER BY a.id",
)
_BY_KEY: Final = "SELECT id, word, level FROM register WHERE id = $1"
_WRITES: Final = (
    "UPDATE register SET level = level + 1 WHERE id = {}",
    "UPDATE register SET word = word || '.', level = 5 WHERE id = {} RETURNING *",
    "DELETE FROM register WHERE id = {}",
    "INSERT INTO register (id, word) VALUES ({}, 'new') ON CONFLICT DO NOTHING",
    "INSERT INTO register (id, level) VALUES ({}, 3) ON CONFLICT (id) DO UPDATE SET level = 4",
    "UPDATE renamed SET level = level * 2 % 100 WHERE id = {}",
)
_INSIDE: Final = (
    "SAVEPOINT a", "SAVEPOINT b", "ROLLBACK TO a", "ROLLBACK TO b", "RELEASE a", "SELECT 1 / 0",
    "SET LOCAL timezone = 'Asia/Tokyo'", "SET timezone = 'Europe/Paris'",
)  # fmt: skip
_ENDINGS: Final = ("COMMIT", "COMMIT", "ROLLBACK", "END", "ABORT")


def together(random: Random, clients: int) -> Iterator[Step]:
    """Some moves of all clients; every transaction is over at the end."""
    inside = [False] * clients
    for _ in range(_MOVES):
        client = random.randrange(clients)
        chance = random.random()
        if chance < 0.55:
            yield _read(random, client)
        elif chance < 0.75:
            yield _write(random, client, clients)
        elif not inside[client]:
            inside[client] = True
            yield messages.query(client, random.choice(_BEGINNINGS))
        elif chance < 0.85:
            yield messages.query(client, random.choice(_INSIDE))
        else:
            inside[client] = False
            yield messages.query(client, random.choice(_ENDINGS))
    for client in range(clients):
        yield messages.query(client, "ROLLBACK")
        yield messages.query(client, "RESET timezone")
    for client in range(clients):
        yield messages.query(client, _WHOLE[0], read=True)


def _read(random: Random, client: int) -> Step:
    if random.random() < 0.5:
        return messages.query(client, random.choice(_WHOLE), read=True)
    key = random.randint(1, _ROWS)
    if random.random() < 0.4:
        return messages.query(client, _BY_KEY.replace("$1", str(key)), read=True)
    binary = random.random() < 0.5
    value = Parameter(key.to_bytes(4, "big") if binary else str(key).encode(), 23, int(binary))
    frames = (
        messages.parse("", _BY_KEY, [value]) + messages.bind("", "", [value]) + messages.describe_portal()
    )
    return Step(client, (Part(frames + messages.execute() + frontend.SYNC_FRAME),), read=True)


def _write(random: Random, client: int, clients: int) -> Step:
    own = random.choice([key for key in range(1, _ROWS + 1) if key % clients == client])
    sql = random.choice(_WRITES).format(own)
    if random.random() < 0.5:
        return messages.query(client, sql)
    frames = messages.parse("", sql) + messages.bind("", "") + messages.execute() + frontend.SYNC_FRAME
    return Step(client, (Part(frames),))
