"""distance: bytes arrive late, whole and in order, and faults happen when they are told to."""

from __future__ import annotations

import asyncio
import sys
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import pytest

from loadtest.distance import Distance
from loadtest.lines import Conditions, Direction

PATIENCE_SECONDS = 10.0


Streams = tuple[StreamReader, StreamWriter]


@dataclass
class Peers:
    """Both ends of one connection through a relay."""

    relay: Distance
    client: Streams
    target: Streams


@asynccontextmanager
async def far_apart(conditions: Conditions) -> AsyncIterator[Peers]:
    accepted: asyncio.Queue[Streams] = asyncio.Queue()
    async with (
        asyncio.timeout(PATIENCE_SECONDS),
        listening(accepted) as (host, port),
        Distance(host, port, conditions) as relay,
    ):
        client = await asyncio.open_connection("127.0.0.1", relay.port)
        target = await accepted.get()
        yield Peers(relay, client, target)
        await close(client, target)


@asynccontextmanager
async def listening(accepted: asyncio.Queue[Streams]) -> AsyncIterator[tuple[str, int]]:
    """A target that hands over what it accepts."""
    server = await asyncio.start_server(lambda *streams: accepted.put_nowait(streams), "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    yield host, port
    server.close()
    await server.wait_closed()


async def close(*connections: Streams) -> None:
    for _, writer in connections:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def test_the_first_byte_takes_the_handshake_and_the_way_and_the_next_only_the_way() -> None:
    loop = asyncio.get_running_loop()
    start = loop.time()
    async with far_apart(Conditions(delay_seconds=0.05)) as peers:
        peers.client[1].write(b"a")
        await peers.target[0].readexactly(1)
        assert loop.time() - start >= 0.149
        start = loop.time()
        peers.target[1].write(b"b")
        await peers.client[0].readexactly(1)
        assert loop.time() - start >= 0.049


async def test_a_pipeline_arrives_whole_and_in_order() -> None:
    async with far_apart(Conditions(delay_seconds=0.02)) as peers:
        sent = [b"%d;" % number for number in range(2000)]
        for part in sent:
            peers.client[1].write(part)
            await asyncio.sleep(0)
        assert await peers.target[0].readexactly(len(b"".join(sent))) == b"".join(sent)


async def test_a_shorter_delay_does_not_let_bytes_overtake() -> None:
    conditions = Conditions(delay_seconds=0.2)
    async with far_apart(conditions) as peers:
        peers.target[1].write(b"first")
        # Turns of the loop, in which the relay reads what the target has sent.
        for _ in range(5):
            await asyncio.sleep(0)
        conditions.delay_seconds = 0.0
        peers.target[1].write(b"second")
        assert await peers.client[0].readexactly(11) == b"firstsecond"


async def test_more_than_the_bound_stops_the_sender_until_the_reader_takes_it() -> None:
    async with far_apart(Conditions(delay_seconds=0.0, max_buffered_bytes=100_000)) as peers:
        block = bytes(range(256)) * 64
        total = 40_000_000 // len(block)
        peers.relay.stall(Direction.TO_TARGET)
        writer = peers.client[1]
        drained = asyncio.ensure_future(_write(writer, block, total))
        finished, _ = await asyncio.wait([drained], timeout=0.3)
        assert not finished
        peers.relay.resume()
        received = await peers.target[0].readexactly(len(block) * total)
        await drained
        assert received == block * total


async def _write(writer: StreamWriter, block: bytes, times: int) -> None:
    for _ in range(times):
        writer.write(block)
        await writer.drain()


async def test_a_throttled_way_takes_at_least_its_time() -> None:
    loop = asyncio.get_running_loop()
    async with far_apart(Conditions(delay_seconds=0.0, bytes_per_second=100_000)) as peers:
        start = loop.time()
        peers.client[1].write(b"x" * 10_000)
        await peers.target[0].readexactly(10_000)
        assert loop.time() - start >= 0.099


async def test_a_stalled_direction_loses_nothing_and_leaves_the_other_alone() -> None:
    async with far_apart(Conditions(delay_seconds=0.0)) as peers:
        peers.relay.stall(Direction.TO_CLIENT)
        peers.target[1].write(b"answer")
        peers.client[1].write(b"question")
        assert await peers.target[0].readexactly(8) == b"question"
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(peers.client[0].read(1), 0.05)
        peers.relay.resume()
        assert await peers.client[0].readexactly(6) == b"answer"


async def test_a_half_close_is_handed_on_and_the_answer_still_comes() -> None:
    async with far_apart(Conditions(delay_seconds=0.01)) as peers:
        peers.client[1].write(b"last words")
        peers.client[1].write_eof()
        assert await peers.target[0].read() == b"last words"
        peers.target[1].write(b"farewell")
        peers.target[1].close()
        assert await peers.client[0].read() == b"farewell"
        assert peers.relay.open_lines == 0


async def test_a_cut_resets_both_ends_and_refuses_newcomers_until_it_is_mended() -> None:
    accepted: asyncio.Queue[Streams] = asyncio.Queue()
    async with (
        asyncio.timeout(PATIENCE_SECONDS),
        listening(accepted) as (host, port),
        Distance(host, port, Conditions(0.0)) as relay,
    ):
        client, target = await asyncio.open_connection("127.0.0.1", relay.port), await accepted.get()
        relay.cut()
        newcomer = await asyncio.open_connection("127.0.0.1", relay.port)
        for reader, _ in (client, target, newcomer):
            await _expect_end(reader)
        assert relay.open_lines == 0
        relay.mend()
        again = await asyncio.open_connection("127.0.0.1", relay.port)
        welcomed = await accepted.get()
        assert relay.open_lines == 1
        await close(client, target, newcomer, again, welcomed)


async def _expect_end(reader: StreamReader) -> None:
    """An abort is a reset, or an end where nothing was unread."""
    with suppress(ConnectionError):
        assert await reader.read() == b""


async def test_a_target_that_refuses_resets_the_client() -> None:
    async with listening(asyncio.Queue()) as (host, port):
        pass
    async with asyncio.timeout(PATIENCE_SECONDS), Distance(host, port, Conditions(0.0)) as relay:
        client = await asyncio.open_connection("127.0.0.1", relay.port)
        await _expect_end(client[0])
        assert relay.open_lines == 0
        await close(client)


async def test_the_program_tells_where_it_listens_carries_bytes_and_ends_on_sigterm() -> None:
    accepted: asyncio.Queue[Streams] = asyncio.Queue()
    async with asyncio.timeout(PATIENCE_SECONDS), listening(accepted) as (host, port):
        program = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "loadtest.distance", "--listen", "127.0.0.1:0", "--to", f"{host}:{port}",
            "--delay-ms", "1", stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert program.stdout is not None
        line = (await program.stdout.readline()).decode()
        assert line.startswith("ready 127.0.0.1:")
        client = await asyncio.open_connection("127.0.0.1", int(line.rsplit(":", 1)[1]))
        client[1].write(b"over")
        target = await accepted.get()
        assert await target[0].readexactly(4) == b"over"
        program.terminate()
        assert await program.wait() == 0
        await close(client, target)
