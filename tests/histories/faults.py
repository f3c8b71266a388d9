"""What breaks, one thing at a time, and is mended again; which, and when, is a matter of the seed."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TypeAlias

import psutil
import psycopg

from loadtest.lines import Direction
from tests.histories.clients.drivers import CONNECT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from random import Random

    from tests.histories.stage import Stage

# Sessions of clients, which a fault may end or cancel; never the proxy's own questions.
_VICTIMS: Final = """SELECT pid FROM pg_stat_activity
 WHERE backend_type = 'client backend' AND application_name NOT LIKE 'orrery%' AND pid <> pg_backend_pid()"""
_STALLS: Final = ((), (Direction.TO_CLIENT,), (Direction.TO_TARGET,))


async def a_client_is_killed(stage: Stage, random: Random) -> None:
    """SIGKILL to a process of clients; others take their places."""
    await stage.replace_clients(random.randrange(len(stage.processes)))


async def a_backend_is_terminated(stage: Stage, random: Random) -> None:
    """pg_terminate_backend() of some sessions at the origin, in the middle of whatever they do."""
    await asyncio.to_thread(_to_backends, stage, random, "pg_terminate_backend")


async def a_statement_is_cancelled(stage: Stage, random: Random) -> None:
    """pg_cancel_backend() of some sessions at the origin."""
    await asyncio.to_thread(_to_backends, stage, random, "pg_cancel_backend")


def _to_backends(stage: Stage, random: Random, function: str) -> None:
    with (
        suppress(psycopg.OperationalError),
        psycopg.connect(stage.direct_url, autocommit=True, connect_timeout=CONNECT_SECONDS) as connection,
    ):
        victims = [row[0] for row in connection.execute(_VICTIMS)]
        for victim in random.sample(victims, min(len(victims), 3)):
            connection.execute(f"SELECT {function}(%s)".encode(), (victim,))


async def the_way_is_cut(stage: Stage, random: Random) -> None:
    """Every connection to the origin is reset, and what was on its way is lost."""
    stage.way.cut()
    await asyncio.sleep(random.uniform(0.0, 0.5))
    stage.way.mend()


async def the_way_is_stalled(stage: Stage, random: Random) -> None:
    """Nothing arrives for a while, in one direction or in both; then all of it does."""
    stage.way.stall(*random.choice(_STALLS))
    await asyncio.sleep(random.choice((0.1, 0.3, 1.0, 4.0)))
    stage.way.resume()


async def some_lines_are_stalled(stage: Stage, random: Random) -> None:
    """The same on some connections: they fall behind the others."""
    stage.way.stall_some(random, *random.choice(_STALLS))
    await asyncio.sleep(random.choice((0.1, 0.3, 1.0)))
    stage.way.resume()


async def some_answers_are_late(stage: Stage, random: Random) -> None:
    """What has been done on some connections is seen long before it is answered there.

    Somebody at the origin itself looks on: it is seen whether or not one of the others misses.
    """
    stage.way.stall_some(random, Direction.TO_CLIENT)
    await stage.witness(random.choice((0.3, 1.0)))
    stage.way.resume()


async def the_way_is_stalled_then_cut(stage: Stage, random: Random) -> None:
    """Answers stay away, and with them what the statements have done; then the connections are lost."""
    stage.way.stall(Direction.TO_CLIENT)
    await asyncio.sleep(random.uniform(0.05, 0.3))
    stage.way.cut()
    stage.way.resume()
    await asyncio.sleep(random.uniform(0.0, 0.2))
    stage.way.mend()


async def the_way_is_severed_at_its_near_end(stage: Stage, random: Random) -> None:
    """The proxy loses its connections; what it had sent on them arrives later, and is carried out then."""
    stage.way.strand()
    await asyncio.sleep(random.uniform(0.0, 0.4))
    stage.way.sever()
    await asyncio.sleep(random.uniform(0.2, 3.0))
    stage.way.resume()
    await asyncio.sleep(0.2)
    stage.way.drop_severed()


async def the_proxy_is_killed(stage: Stage, random: Random) -> None:
    """SIGKILL to the proxy; another one starts."""
    await asyncio.to_thread(stage.kill_proxy)
    await asyncio.to_thread(stage.start_proxy)


async def the_proxy_is_killed_and_its_words_live_on(stage: Stage, random: Random) -> None:
    """What it has sent arrives, and is carried out, while its successor is at work already."""
    stage.way.strand()
    await asyncio.sleep(random.uniform(0.1, 0.5))
    await asyncio.to_thread(stage.kill_proxy)
    await asyncio.to_thread(stage.start_proxy)
    await asyncio.sleep(random.uniform(1.0, 3.0))
    stage.way.resume()


async def a_worker_is_killed(stage: Stage, random: Random) -> None:
    """SIGKILL to one of several workers; another one takes its place."""
    await asyncio.to_thread(stage.signal_worker, signal.SIGKILL, random)
    await asyncio.sleep(random.uniform(0.5, 3.0))


async def a_worker_is_killed_and_its_words_live_on(stage: Stage, random: Random) -> None:
    """What it has sent arrives, and is carried out, while the others go on and its successor comes."""
    stage.way.strand()
    await asyncio.sleep(random.uniform(0.1, 0.5))
    await asyncio.to_thread(stage.signal_worker, signal.SIGKILL, random)
    await asyncio.sleep(random.uniform(0.5, 4.0))
    stage.way.resume()


async def a_worker_hangs(stage: Stage, random: Random) -> None:
    """SIGSTOP to one of several workers, then SIGCONT: within its lease, or long after."""
    stopped = await asyncio.to_thread(stage.signal_worker, signal.SIGSTOP, random)
    await asyncio.sleep(random.choice((0.3, 1.5, 2.5, 5.0)))
    if stopped is not None:
        with suppress(psutil.NoSuchProcess):
            stopped.send_signal(signal.SIGCONT)


async def the_origin_restarts(stage: Stage, random: Random) -> None:
    """A restart in PostgreSQL's fast mode."""
    await asyncio.to_thread(stage.cluster.restart)


async def the_origin_crashes(stage: Stage, random: Random) -> None:
    """SIGKILL to the whole server; it recovers from its log."""
    await asyncio.to_thread(stage.cluster.kill)
    await asyncio.to_thread(stage.cluster.start)


Fault: TypeAlias = "Callable[[Stage, Random], Awaitable[None]]"
FAULTS: Final[tuple[Fault, ...]] = (
    a_client_is_killed,
    a_backend_is_terminated,
    a_statement_is_cancelled,
    the_way_is_cut,
    the_way_is_stalled,
    some_lines_are_stalled,
    some_answers_are_late,
    the_way_is_stalled_then_cut,
    the_way_is_severed_at_its_near_end,
    the_proxy_is_killed,
    the_proxy_is_killed_and_its_words_live_on,
    the_origin_restarts,
    the_origin_crashes,
)
# Of several workers only.
WORKER_FAULTS: Final[tuple[Fault, ...]] = (
    a_worker_is_killed,
    a_worker_is_killed_and_its_words_live_on,
    a_worker_hangs,
)
# Between the mending of one and the next: the memory fills, hits are given.
_PEACE_SECONDS: Final = (0.5, 2.5)


async def rehearse(stage: Stage, faults: Sequence[Fault], random: Random, over: asyncio.Event) -> None:
    """One fault after the other, each as often as the others, until it is ``over``."""
    while not over.is_set():
        for fault in random.sample(faults, len(faults)):
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), random.uniform(*_PEACE_SECONDS))
            if over.is_set():
                break
            stage.note(fault.__name__)
            await fault(stage, random)
