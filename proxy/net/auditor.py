"""The auditor: a share of the answers given from memory is asked for again at the origin, and compared.

It is in nobody's way: one question at a time, so many a second, over a few connections of its own, each
logged in as the client whose answer it checks and closed when idle. What it cannot ask, it counts.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from itertools import chain
from typing import Final

from proxy.errors import OrreryError
from proxy.net.freshness import Freshness
from proxy.net.origin import OriginConnection, Wanted
from proxy.net.questions import APPLICATION
from proxy.session import audit
from proxy.session.audit import Sample
from proxy.session.session import Session
from proxy.session.shapes import Shape
from proxy.session.shared import Shared
from proxy.session.understanding import forget_answers

logger = logging.getLogger(__name__)

# Between two questions: at most ten a second, a MiB of answers, a tenth of one backend's time.
PAUSE_SECONDS: Final = 0.1
BYTES_PER_SECOND: Final = 1 << 20
REST: Final = 9.0  # times as long as the question took
MAX_BYTES: Final = 256 * 1024  # a larger answer is not asked for again
ASK_SECONDS: Final = 5.0  # of one question; the origin is told to give up before that
MAX_CONNECTIONS: Final = 2
IDLE_SECONDS: Final = 5.0
# After a login that failed or a question that took too long: others need the origin more.
RETRY_SECONDS: Final = 30.0
# At level ttl differences are expected: one line in so many seconds, with the number of those since.
QUIET_SECONDS: Final = 10.0

# Verdicts after which a connection, or a login without one, is worth nothing.
_USELESS: Final = frozenset(("origin", "timeout", "settings"))
MAX_REMEMBERED: Final = 1_000  # logins that failed

Login = tuple[str, tuple[tuple[str, str], ...]]
Connect = Callable[[Wanted], Awaitable[OriginConnection]]


class Auditor:
    """``share`` of the hits is checked, 0: none. ``connect`` raises ``OrreryError``; ``sessions`` are those
    of all clients; ``chance`` in [0, 1) spreads what is chosen.
    """

    def __init__(
        self,
        share: float,
        shared: Shared,
        freshness: Freshness,
        connect: Connect,
        sessions: Callable[[], Iterable[Session]],
        chance: Callable[[], float],
    ) -> None:
        self._share = share
        self._shared = shared
        self._freshness = freshness
        self._connect = connect
        self._sessions = sessions
        self._chance = chance
        self._audits = shared.counters.audits
        self._taken: tuple[Sample, Wanted] | None = None
        self._arrived = asyncio.Event()
        self._connections: OrderedDict[Login, OriginConnection] = OrderedDict()  # the last used last
        self._used_at: dict[Login, float] = {}
        self._not_before: dict[Login, float] = {}
        self._warned_at = -math.inf
        self._unsaid = 0
        self._choose()

    def _choose(self) -> None:
        """Which of the coming hits is next: each has the same chance, whatever came before."""
        if self._share <= 0.0:
            self._shared.audit_at = math.inf
            return
        gap = 0
        if self._share < 1.0:
            gap = int(math.log1p(-self._chance()) / math.log1p(-self._share))
        self._shared.audit_at = self._shared.counters.hit + 1 + gap

    @property
    def ready(self) -> bool:
        """Is it at leisure? Nothing waits for it: asked later, the origin would speak of another moment."""
        return self._taken is None

    def take(self, sample: Sample, wanted: Wanted) -> None:
        """Check this answer at once. On the path of a hit, one in a thousand."""
        self._choose()
        if not self.ready:
            self._audits.skip("busy")
        elif len(sample.entry.payload) > MAX_BYTES:
            self._audits.skip("size")
        else:
            self._taken = (sample, wanted)
            self._arrived.set()

    async def watch(self) -> None:
        """Check what was chosen, for ever."""
        try:
            while True:
                sample, wanted = await self._arrival()
                began = time.monotonic()
                await self._check(sample, wanted)
                await self._rest(_pause(time.monotonic() - began, len(sample.entry.payload)))
                self._taken = None
        finally:
            self.let_go()

    async def _arrival(self) -> tuple[Sample, Wanted]:
        while self._taken is None:
            self._arrived.clear()
            try:
                async with asyncio.timeout(IDLE_SECONDS if self._connections else None):
                    await self._arrived.wait()
            except TimeoutError:
                self.let_go()
        return self._taken

    async def _rest(self, seconds: float) -> None:
        """What will have been idle for too long by then is closed now."""
        idle_since = time.monotonic() + seconds - IDLE_SECONDS
        while self._connections and self._used_at[next(iter(self._connections))] < idle_since:
            self._close_oldest()
        await asyncio.sleep(seconds)

    def let_go(self) -> None:
        """Close every connection: they are idle, or somebody is about to drop or copy a database."""
        while self._connections:
            self._close_oldest()

    def _close_oldest(self) -> None:
        login, connection = self._connections.popitem(last=False)
        del self._used_at[login]
        connection.close()

    # One answer

    async def _check(self, sample: Sample, wanted: Wanted) -> None:
        verdict = self._objection(sample, wanted)
        if not verdict:
            asked = audit.request(sample)
            verdict = "order" if asked is None else await self._ask(sample, asked, wanted)
        if verdict == audit.EXCUSED:
            self._audits.excused += 1
        elif verdict in (audit.FRESH, audit.DIFFERENT):
            self._audits.checked(sample.age, fresh=verdict == audit.FRESH)
        else:
            self._audits.skip(verdict)
        if verdict == audit.DIFFERENT:
            self._differs(sample)
        elif verdict == "refused":
            self._forget(sample)  # a right may be gone: the next one who asks hears it from the origin

    def _objection(self, sample: Sample, wanted: Wanted) -> str:
        """Why the origin is not to be asked now, in one word; "" if it may."""
        now = time.monotonic()
        if not self._freshness.awake:
            return "paused"
        if not self._freshness.answers(now) or now < self._not_before.get(_login(wanted), now):
            return "origin"
        # After SET SESSION AUTHORIZATION no login of ours is that role's.
        return "role" if sample.session_user != wanted.user else ""

    async def _ask(self, sample: Sample, asked: audit.Request, wanted: Wanted) -> str:
        """The verdict. What goes wrong is a reason to skip the sample, and ends that connection."""
        login = _login(wanted)
        connection: OriginConnection | None = None
        try:
            async with asyncio.timeout(ASK_SECONDS):
                connection = await self._connection(login, wanted)
                assert connection.learnt is not None
                reply = await connection.talk(audit.question(sample, asked, connection.learnt))
            verdict = audit.judge(sample, asked, reply)
        except (OrreryError, TimeoutError) as fault:
            verdict = "origin" if isinstance(fault, OrreryError) else "timeout"
            logger.info("event=audit_failed reason=%s", fault if verdict == "origin" else "no answer in time")
        if verdict in _USELESS:
            self._drop(login, connection)
        return verdict

    async def _connection(self, login: Login, wanted: Wanted) -> OriginConnection:
        connection = self._connections.get(login)
        if connection is None:
            while len(self._connections) >= MAX_CONNECTIONS:
                self._close_oldest()
            named = wanted.parameters | {"application_name": APPLICATION}
            connection = await self._connect(replace(wanted, parameters=named))
            self._connections[login] = connection
        self._connections.move_to_end(login)
        self._used_at[login] = time.monotonic()
        return connection

    def _drop(self, login: Login, connection: OriginConnection | None) -> None:
        """This login is of no use for a while: it failed, or has other settings than it had."""
        if len(self._not_before) >= MAX_REMEMBERED:
            self._not_before.clear()
        self._not_before[login] = time.monotonic() + RETRY_SECONDS
        if connection is not None:
            connection.abort()
            if self._connections.get(login) is connection:
                del self._connections[login], self._used_at[login]

    # What was found

    def _differs(self, sample: Sample) -> None:
        sample.entry.slot.pace.observe(changed=True, elapsed=time.monotonic() - sample.entry.born)
        dropped = self._forget(sample)
        level = self._freshness.level
        if level.name == "ttl" or level.since > sample.at:
            self._warn(sample, dropped)
            return
        logger.error(
            "event=audit_difference level=%s age_ms=%d dropped=%d template=%r hint=%r",
            level.name, sample.age * 1000, dropped, sample.template,
            "a writer went past the proxy, or this is a fault of the proxy's: report it",
        )  # fmt: skip

    def _warn(self, sample: Sample, dropped: int) -> None:
        now = time.monotonic()
        if now - self._warned_at < QUIET_SECONDS:
            self._unsaid += 1
            return
        logger.warning(
            "event=audit_difference level=ttl age_ms=%d dropped=%d unsaid=%d template=%r",
            sample.age * 1000, dropped, self._unsaid, sample.template,
        )  # fmt: skip
        self._warned_at, self._unsaid = now, 0

    def _forget(self, sample: Sample) -> int:
        assert sample.catalogue is not None
        return forget_answers(self._shared, self._shapes(sample), sample.catalogue, sample.template)

    def _shapes(self, sample: Sample) -> Iterable[Shape]:
        """All there are: those that only a prepared statement keeps alive are in no table."""
        prepared = (p.shape for s in self._sessions() for p in s.statements.named.values())
        return chain(list(self._shared.shapes), [sample.shape], filter(None, prepared))


def _pause(took: float, answer_bytes: int) -> float:
    """Seconds until the next question may be asked."""
    return max(PAUSE_SECONDS, answer_bytes / BYTES_PER_SECOND, REST * took)


def _login(wanted: Wanted) -> Login:
    return wanted.user, tuple(sorted(wanted.parameters.items()))
