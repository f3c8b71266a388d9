"""The auditor over scripted origins: what it asks and when, what it counts, drops and says."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Generator
from typing import Final, TypeVar, cast

import pytest

from proxy.errors import OriginUnreachable
from proxy.net import auditor as auditors
from proxy.net.auditor import Auditor
from proxy.net.freshness import Freshness, Level
from proxy.net.origin import OriginConnection, Wanted
from proxy.session import probe
from proxy.session.audit import Sample
from proxy.session.credentials import Trusted
from proxy.wire import frontend
from proxy.wire.framing import BACKEND, Frame, FrameSplitter
from tests.doubles.origin import Refusal, ScriptedOrigin
from tests.proxy.session.world import READ, Conversation, World, learnt

T = TypeVar("T")
TEXT: Final = b"SELECT name FROM planet WHERE name = 'a secret value'"


class Connection(OriginConnection):
    """Talks to a scripted origin, and knows whether it was closed."""

    def __init__(self, origin: ScriptedOrigin) -> None:
        super().__init__()
        self.learnt = probe.Learnt(learnt())
        self.origin = origin
        self.closed = False

    async def talk(self, dialogue: Generator[bytes, Frame, T]) -> T:
        if self.closed:
            raise OriginUnreachable("closed")
        splitter = FrameSplitter(1 << 20, BACKEND)
        self.origin.send(next(dialogue))
        while True:
            for frame in splitter.feed(self.origin.answer()):
                try:
                    self.origin.send(dialogue.send(frame))
                except StopIteration as end:
                    return cast("T", end.value)

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True


class Heart:
    """What the auditor asks of ``Freshness``."""

    def __init__(self) -> None:
        self.awake = True
        self.heard = True
        self.level = Level("wire", "stated", 0.0)

    def answers(self, _: float) -> bool:
        return self.heard


class Office:
    """One auditor of every hit, a client to make hits, and what the auditor opened."""

    def __init__(self, share: float = 1.0) -> None:
        self.world = World()
        self.world.clock.now = time.monotonic()
        self.heart = Heart()
        self.opened: list[Connection] = []
        self.logins: list[Wanted] = []
        self.refuses: set[str] = set()
        self.faults: dict[bytes, Refusal] = {}
        self.client: Conversation = self.world.client()
        self.auditor = Auditor(
            share,
            self.world.shared,
            cast("Freshness", self.heart),
            self._connect,
            lambda: [self.client.session],
            lambda: 0.0,
        )
        self.audits = self.world.counters.audits

    async def _connect(self, wanted: Wanted) -> OriginConnection:
        self.logins.append(wanted)
        if wanted.parameters["database"] in self.refuses:
            raise OriginUnreachable("no")
        origin = ScriptedOrigin(self.world.data)
        origin.learnt = learnt()
        origin.faults = self.faults
        self.opened.append(Connection(origin))
        return self.opened[-1]

    def hit(self, text: bytes = READ, login: str = "sky", user: str = "alice") -> None:
        """A hit, handed to the auditor as a client connection does."""
        self.world.clock.now = time.monotonic()
        self.client.query(text)
        while self.client.port.audited:
            shape, entry = self.client.port.audited.pop()
            session = self.client.session
            ticket = self.world.memory.ticket_of(entry)
            sample = Sample(shape, entry, ticket, session.state.scope(), self.world.clock.now)
            self.auditor.take(sample, Wanted(user, Trusted(), {"user": user, "database": login}))

    @property
    def settled(self) -> int:
        figures = self.audits.figures()
        return sum(figures["answers"].values()) + sum(figures["skipped"].values())

    async def checked(self, count: int) -> None:
        """Wait until so many answers were dealt with."""
        async with asyncio.timeout(10.0):
            while self.settled < count or not self.auditor.ready:
                await asyncio.sleep(0)

    def open(self) -> int:
        return sum(not connection.closed for connection in self.opened)


@pytest.fixture
async def office(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Office]:
    monkeypatch.setattr(auditors, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(auditors, "REST", 0.0)
    office = Office()
    office.client.query(READ)
    office.client.query(TEXT)
    watching = asyncio.create_task(office.auditor.watch())
    yield office
    watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watching
    assert office.open() == 0


async def test_a_hit_that_the_origin_confirms_is_fresh(office: Office) -> None:
    office.hit()
    await office.checked(1)
    assert office.audits.figures()["answers"] == {"fresh": 1, "different": 0, "excused": 0}
    assert office.audits.figures()["fresh_share"]["60"] == 1.0


async def test_it_logs_in_as_the_client_under_its_own_application_name(office: Office) -> None:
    office.hit()
    await office.checked(1)
    (wanted,) = office.logins
    assert wanted.parameters == {"user": "alice", "database": "sky", "application_name": "orrery proxy"}


@pytest.mark.soundness("7.4")
async def test_a_difference_at_level_wire_is_an_error_without_values_and_drops_the_template(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    office.world.data.number += 1
    office.hit(TEXT)
    await office.checked(1)
    assert office.audits.different == 1
    (line,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert line.levelno == logging.ERROR
    assert "template='SELECT name FROM planet WHERE name = $1'" in line.getMessage()
    assert "secret" not in caplog.text
    office.client.heard()
    assert not office.client.hits(TEXT)
    assert office.client.hits(READ)  # another template


async def test_a_planted_fault_is_found(office: Office) -> None:
    (shape,) = [shape for shape in office.world.shared.shapes if shape.key == READ]
    assert shape.slot is not None
    (entry,) = shape.slot.entries.values()
    entry.payload = entry.payload.replace(b"0", b"9", 1)
    office.hit()
    await office.checked(1)
    assert office.audits.different == 1


async def test_differences_at_level_ttl_are_warned_of_now_and_then(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    office.heart.level = Level("ttl", "", 0.0)
    for count in range(1, 4):
        office.client.query(READ)
        office.client.port.audited.clear()
        office.world.data.number += 1
        office.hit()
        await office.checked(count)
    assert office.audits.different == 3
    (line,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert (line.levelno, "level=ttl" in line.getMessage()) == (logging.WARNING, True)


async def test_what_was_prepared_and_is_in_no_table_any_more_is_dropped_as_well(office: Office) -> None:
    named = frontend.parse(b"s", READ), frontend.SYNC_FRAME
    run = frontend.bind(b"", b"s"), frontend.execute(b""), frontend.SYNC_FRAME
    office.client.ask(*named)
    office.client.ask(*run)
    shape = office.client.session.statements.named[b"s"].shape
    assert shape is not None
    before = shape.slot
    del office.world.shared.shapes.of(shape.scope)[shape.key]
    office.world.data.number += 1
    office.hit()
    await office.checked(1)
    assert office.audits.different == 1
    assert shape.slot is not before


async def test_a_refused_statement_is_skipped_and_its_answers_are_given_no_more(office: Office) -> None:
    office.faults[READ] = Refusal("42501")
    office.hit()
    await office.checked(1)
    assert office.audits.skipped == {"refused": 1}
    assert not office.client.hits(READ)


async def test_a_write_in_flight_is_an_excuse(office: Office) -> None:
    office.hit()
    office.client.query(b"UPDATE planet SET name = 'x'")
    await office.checked(1)
    assert office.audits.excused == 1
    assert office.audits.different == 0


async def test_nothing_is_asked_while_the_heartbeat_is_paused_or_unheard(office: Office) -> None:
    office.heart.awake = False
    office.hit()
    await office.checked(1)
    office.heart.awake, office.heart.heard = True, False
    office.hit()
    await office.checked(2)
    assert office.audits.skipped == {"paused": 1, "origin": 1}
    assert office.logins == []


async def test_a_session_that_took_another_authorization_is_not_asked_for(office: Office) -> None:
    office.hit(user="postgres")
    await office.checked(1)
    assert office.audits.skipped == {"role": 1}
    assert office.logins == []


async def test_a_login_that_failed_is_left_alone_for_a_while_and_others_are_not(office: Office) -> None:
    office.refuses.add("dark")
    for count in range(1, 4):
        office.hit(login="dark")
        await office.checked(count)
    assert office.audits.skipped == {"origin": 3}
    assert len(office.logins) == 1
    office.hit()
    await office.checked(4)
    assert office.audits.fresh == 1


async def test_connections_are_few_and_used_again(office: Office) -> None:
    for count, login in enumerate(["a", "a", "b", "c", "c"], 1):
        office.hit(login=login)
        await office.checked(count)
        assert office.open() <= auditors.MAX_CONNECTIONS
    assert [wanted.parameters["database"] for wanted in office.logins] == ["a", "b", "c"]
    assert office.audits.fresh == 5


async def test_idle_connections_are_closed(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auditors, "IDLE_SECONDS", 0.0)
    office.hit()
    await office.checked(1)
    async with asyncio.timeout(10.0):
        while office.open():
            await asyncio.sleep(0)


async def test_one_that_is_idle_is_closed_while_another_is_in_use(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auditors, "IDLE_SECONDS", 0.02)
    office.hit(login="a")
    await office.checked(1)
    count = 1
    async with asyncio.timeout(10.0):
        while not office.opened[0].closed:
            count += 1
            office.hit(login="b")
            await office.checked(count)
    assert office.audits.fresh == count


async def test_nothing_waits_for_it(office: Office) -> None:
    for _ in range(4):
        office.hit()
    await office.checked(4)
    assert office.audits.skipped == {"busy": 3}
    assert office.audits.fresh == 1


async def test_a_large_answer_is_not_asked_for(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auditors, "MAX_BYTES", 10)
    office.hit()
    assert office.audits.skipped == {"size": 1}


async def test_a_share_of_nought_chooses_nothing() -> None:
    office = Office(share=0.0)
    office.client.query(READ)
    for _ in range(20):
        office.hit()
    assert office.settled == 0
    assert office.logins == []


@pytest.mark.parametrize(("chance", "gap"), [(0.0, 1), (0.5, 7), (0.95, 29)])
async def test_the_next_one_is_drawn_geometrically(chance: float, gap: int) -> None:
    world = World()
    Auditor(
        0.1, world.shared, cast("Freshness", Heart()), cast("auditors.Connect", None), list, lambda: chance
    )
    assert world.shared.audit_at == gap


@pytest.mark.parametrize(
    ("took", "size", "pause"), [(0.001, 100, 0.1), (0.5, 100, 4.5), (0.001, 1 << 19, 0.5)]
)
async def test_the_pause_bounds_questions_time_and_bytes(took: float, size: int, pause: float) -> None:
    assert auditors._pause(took, size) == pause
