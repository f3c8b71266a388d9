"""One client: it connects, does one thing after another, and connects again after each loss."""

from __future__ import annotations

import asyncio
import traceback
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.histories.clients.drivers import KINDS, Lost, Refused, Silent
from tests.histories.clients.reading import READS, pick
from tests.histories.clients.session import Session
from tests.histories.clients.writing import WRITES
from tests.histories.journal import Journal
from tests.histories.whereabouts import whereabouts

if TYPE_CHECKING:
    from pathlib import Path

# How long a client thinks between two statements, on average.
_PAUSE_SECONDS: Final = 0.006
_RETRY_SECONDS: Final = 0.2


class Habits(NamedTuple):
    """``write_share``: of all that a client does, 0 to 1."""

    seed: int = 1
    write_share: float = 0.02


async def live(folder: Path, name: str, habits: Habits, kind: int, stop: asyncio.Event) -> None:
    """Until ``stop``; what it says is a matter of its seed and of the answers, when it says it is not."""
    random = Random(f"{habits.seed}/{name}")
    journal = Journal(folder, name)
    session: Session | None = None
    while not stop.is_set():
        place = whereabouts(folder)
        try:
            driver = await KINDS[kind % len(KINDS)](place.url)
        except (Lost, Refused):
            await asyncio.sleep(_RETRY_SECONDS)
            continue
        journal.incarnation = place.incarnation
        session = replace(session, driver=driver, own={}) if session else Session(driver, journal, random)
        try:
            await _talk(session, habits.write_share, stop)
        except Silent:
            journal.odd("no answer at all")
        except Lost:
            pass
        except Exception:  # noqa: BLE001 - whatever it is goes into the report
            journal.odd(traceback.format_exc())
        await driver.close()
    journal.close()


async def _talk(session: Session, write_share: float, stop: asyncio.Event) -> None:
    random = session.random
    while not stop.is_set():
        actions = WRITES if random.random() < write_share else READS
        try:
            await pick(session, actions)(session)
        except Refused:
            session.own = {}
            await _end_block(session)
        await asyncio.sleep(random.expovariate(1 / _PAUSE_SECONDS))


async def _end_block(session: Session) -> None:
    """After an error: whatever block it stood in is over. A session without an origin cannot even do that."""
    try:
        await session.driver.text("ROLLBACK")
    except Refused:
        raise Lost from None
