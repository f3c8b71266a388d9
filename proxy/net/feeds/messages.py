"""What travels between two workers: one JSON array a line, its first item the word.

| from the leader | meaning |
|---|---|
| welcome, asked at, open, lowered | you are in; each open: number, reach, process id, started, ddl, landed |
| suspend, number, reach, process id, started, ddl | to be acknowledged |
| end, number, changed, cause | it has ended |
| landed, number | a change of the catalogue is committed: look at yours, then say so |
| lift, number | everybody has: it has ended |
| grant, asked at / out | the answer to renew |
| lower, why | no level above ttl holds any more |
| met, microseconds | a connection met a server that started then |
| answer, question, value | |

| from the follower | meaning |
|---|---|
| join, slot, asked at | |
| ack, number / judged, number | |
| renew, asked at | |
| ask, question, what | |
| cancel, question, [process id, secret] | a CancelRequest, for whoever has that client; answered once over |

Values of columns are numbers, text in hexadecimal for bytes, or null.
"""

from __future__ import annotations

import json
from typing import Any

from proxy.cache.facets import Canonical, RowChange
from proxy.cache.tags import Extent, Reach

# What JSON gives; the two ends are one program, so the words are not checked further than by their use.
Message = list[Any]


def encode(*message: object) -> bytes:
    """One line."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def decode(line: bytes) -> Message:
    """ValueError: it is none."""
    message = json.loads(line)
    if not isinstance(message, list) or not message:
        raise ValueError("not a message of a feed")
    return message


def reach_told(reach: Reach) -> Message:
    """A reach as it travels."""
    changes = [
        [
            change.relation,
            None if change.changed is None else sorted(change.changed),
            [[column, [_told(value) for value in values]] for column, values in change.confined],
        ]
        for change in reach.changes
    ]
    return [int(reach.extent), reach.database, sorted(reach.relations), changes]


def reach_read(told: Message) -> Reach:
    """What ``reach_told`` has made of it."""
    extent, database, relations, changes = told
    return Reach(
        Extent(extent),
        database,
        frozenset(relations),
        frozenset(
            RowChange(
                relation,
                None if changed is None else frozenset(changed),
                tuple((column, tuple(_read(value) for value in values)) for column, values in confined),
            )
            for relation, changed, confined in changes
        ),
    )


def _told(value: Canonical) -> int | str | None:
    return value.hex() if isinstance(value, bytes) else value


def _read(told: int | str | None) -> Canonical:
    return bytes.fromhex(told) if isinstance(told, str) else told
