"""The app's own way to Prisma's engine, against servers that answer as a script says."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from itertools import count

import httpx
import pytest

from app.engine_transport import EngineTransport

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def _client(
    handler: Handler, *, limit: int = 10, seconds: float = 10.0
) -> AsyncGenerator[httpx.AsyncClient]:
    """A client of a server that runs ``handler`` for each connection; the connections end with the client."""
    handlers: set[asyncio.Task[None]] = set()

    async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await handler(reader, writer)
        writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handlers.add(asyncio.create_task(run(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    url = f"http://localhost:{server.sockets[0].getsockname()[1]}"
    async with server:
        async with httpx.AsyncClient(
            transport=EngineTransport(limit), base_url=url, timeout=seconds
        ) as client:
            yield client
        await asyncio.gather(*handlers)


async def _read(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Head and body of the next request."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"\r\nContent-Length: (\d+)\r\n", head)
    return head, await reader.readexactly(int(length[1]) if length else 0)


def _answer(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        _, body = await _read(reader)
        writer.write(_answer(body))


class _Connections:
    """Answers with the number of the connection; ``ended`` is set when the client has closed one."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self.ended = asyncio.Event()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = next(self._numbers)
        try:
            while True:
                _, body = await _read(reader)
                if body != b"do not answer":
                    writer.write(_answer(b"%d" % number))
        finally:
            self.ended.set()


async def test_a_request_arrives_as_httpx_made_it_and_its_answer_comes_back_whole() -> None:
    seen = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await _read(reader))
        writer.write(
            b"HTTP/1.1 422 Unprocessable Entity\r\nContent-Type: application/json\r\nContent-Length: 13\r\n"
        )
        writer.write(b'\r\n{"a": "\xc3\xa4 b"}')

    async with _client(handler) as client:
        response = await client.post("/transaction/x%20y?format=json", content="{}", headers={"X-Id": "7"})
    assert (response.status_code, response.headers["content-type"]) == (422, "application/json")
    assert response.json() == {"a": "ä b"}
    [(head, body)] = seen
    assert head.startswith(b"POST /transaction/x%20y?format=json HTTP/1.1\r\nHost: localhost:")
    assert (b"\r\nX-Id: 7\r\n" in head, body) == (True, b"{}")


async def test_an_answer_may_come_in_pieces_and_in_chunks() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in (_answer(b"abcde"), chunked):
            await _read(reader)
            for byte in answer:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0)

    async with _client(handler) as client:
        assert [(await client.get("/")).text for _ in range(2)] == ["abcde", "abcde"]


async def test_requests_one_after_the_other_share_a_connection() -> None:
    async with _client(_Connections()) as client:
        assert [(await client.get("/")).text for _ in range(3)] == ["1", "1", "1"]


async def test_requests_at_the_same_time_each_get_their_own_answer() -> None:
    async with _client(_echo, limit=3) as client:
        wanted = [f"request {number}" for number in range(50)]
        answers = await asyncio.gather(*(client.post("/", content=text) for text in wanted))
        assert [answer.text for answer in answers] == wanted


async def test_no_more_connections_are_open_than_the_limit() -> None:
    peak, present = 0, 0

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal peak, present
        present += 1
        peak = max(peak, present)
        await _echo(reader, writer)

    async with _client(handler, limit=2) as client:
        await asyncio.gather(*(client.post("/", content="x") for _ in range(20)))
    assert peak == 2


async def test_a_request_that_is_not_answered_in_time_fails_and_its_connection_is_closed() -> None:
    connections = _Connections()
    async with _client(connections, seconds=0.05) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.post("/", content="do not answer")
        await connections.ended.wait()


async def test_the_wait_for_a_turn_counts_as_well() -> None:
    async with _client(_Connections(), limit=1, seconds=0.05) as client:
        late = await asyncio.gather(
            *(client.post("/", content="do not answer") for _ in range(3)), return_exceptions=True
        )
        assert [type(error) for error in late] == [httpx.ReadTimeout] * 3
        assert (await client.get("/", timeout=10)).text


async def test_a_late_answer_to_a_cancelled_request_is_nobody_elses() -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            _, body = await _read(reader)
            if body == b"first":
                asked.set()
                await go_on.wait()
            writer.write(_answer(body))

    async with _client(handler, limit=1) as client:
        first = asyncio.create_task(client.post("/", content="first"))
        await asked.wait()
        first.cancel()
        go_on.set()
        assert (await client.post("/", content="second")).text == "second"
        with pytest.raises(asyncio.CancelledError):
            await first


async def test_an_answer_that_nobody_asked_for_is_not_taken_for_the_next_one() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, body = await _read(reader)
        writer.write(_answer(body) + _answer(b"nobody asked"))
        await reader.read()

    async with _client(handler) as client:
        for text in ("first", "second"):
            assert (await client.post("/", content=text)).text == text


async def test_a_server_that_goes_away_before_its_answer_is_an_error_at_once() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _read(reader)
        writer.write(_answer(b"not all of it")[:-3])

    async with _client(handler) as client:
        with pytest.raises(httpx.ReadError, match="closed the connection"):
            await client.get("/")


async def test_a_connection_that_is_announced_to_close_is_used_no_more() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, body = await _read(reader)
        writer.write(_answer(body).replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
        await reader.read()

    async with _client(handler) as client:
        for text in ("first", "second"):
            assert (await client.post("/", content=text)).text == text


async def test_a_connection_that_ended_while_it_was_idle_is_replaced() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, body = await _read(reader)
        writer.write(_answer(body))

    async with _client(handler) as client, asyncio.timeout(10):
        for text in ("first", "second"):
            assert (await client.post("/", content=text)).text == text
            while _transport(client)._open:
                await asyncio.sleep(0)


def _transport(client: httpx.AsyncClient) -> EngineTransport:
    transport = client._transport
    assert isinstance(transport, EngineTransport)
    return transport


async def test_what_is_no_http_is_an_error() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _read(reader)
        writer.write(b"SSH-2.0-OpenSSH_9.7\r\n")
        await reader.read()

    async with _client(handler) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get("/")


async def test_nobody_there_is_a_connect_error() -> None:
    async with httpx.AsyncClient(transport=EngineTransport()) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get("http://127.0.0.1:1/")


async def test_closing_ends_the_connections_and_the_requests_on_them() -> None:
    asked = asyncio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _read(reader)
        asked.set()
        await reader.read()

    async with _client(handler) as client:
        waiting = asyncio.create_task(client.get("/"))
        await asked.wait()
        await client.aclose()
        with pytest.raises(httpx.ReadError):
            await waiting
        assert not _transport(client)._open
