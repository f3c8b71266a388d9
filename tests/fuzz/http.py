"""Requests to the admin API: any method, path, headers and body, past the HTTP parser of the server."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, final

from proxy.admin.app import create_app
from proxy.admin.auth import Guard
from tests.fuzz.damage import noise, sometimes_damaged
from tests.fuzz.subject import Broken, Step
from tests.proxy.admin.house import MadeUpHouse

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from starlette.types import Message, Scope

_PATHS: Final = (
    b"/live",
    b"/ready",
    b"/stats",
    b"/metrics",
    b"/queries",
    b"/purge",
    b"/purge",
    b"//",
    b"/%ff",
)
_METHODS: Final = ("GET", "POST", "POST", "PUT", "HEAD")
_HEADERS: Final = (
    b"authorization: Bearer x",
    b"authorization: bearer \xff",
    b"host: localhost",
    b"host: [::1",
    b"origin: http://elsewhere",
    b"sec-fetch-site: cross-site",
    b"content-type: text/plain",
    b"content-type: application/json; charset=\xff",
    b"content-length: -1",
)
_BODIES: Final = (
    b'{"table": "planet"}',
    b'{"table": "\\ud800"}',
    b'{"table": NaN}',
    b'{"x": 1e999}',
    b"[" * 2000,
    b'"\xff"',
    b"null",
    b"",
    b'{"table": "nowhere"}',
)


@final
class AdminRequests:
    """Steps: the method with the path, then ``header`` for each, and ``body``."""

    name = "admin"

    def make(self, random: Random) -> list[Step]:
        """Mostly what passes the guard, with a body of any kind."""
        path = sometimes_damaged(random, random.choice(_PATHS), 0.1)
        method = random.choice(_METHODS) if random.random() < 0.3 else "POST" if path == b"/purge" else "GET"
        headers = [Step("header", b"host: 127.0.0.1"), Step("header", b"content-type: application/json")]
        strange = random.choices(_HEADERS, k=random.choice((0, 0, 1, 2)))
        headers += [Step("header", sometimes_damaged(random, header, 0.1)) for header in strange]
        body = noise(random) if random.random() < 0.1 else random.choice(_BODIES)
        return [
            Step(method, path),
            *headers,
            Step("body", sometimes_damaged(random, body, 0.3)),
        ]

    def play(self, steps: Sequence[Step]) -> str:
        """The status; one of the server's own faults is a finding."""
        status = asyncio.run(_ask(steps))
        if status >= 500:
            raise Broken(f"answered with {status}")
        return str(status)


async def _ask(steps: Sequence[Step]) -> int:
    guard = Guard("127.0.0.1", is_loopback=True)
    statuses: list[int] = []
    body = b"".join(data for what, data in steps if what == "body")

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await create_app(MadeUpHouse(), guard)(_scope(steps), receive, send)
    return statuses[0]


def _scope(steps: Sequence[Step]) -> Scope:
    pairs = [data.partition(b":") for what, data in steps if what == "header"]
    method, path = next(((what, data) for what, data in steps if what in _METHODS), ("GET", b"/"))
    return {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path.decode("utf-8", "replace"),
        "raw_path": path,
        "query_string": b"",
        "headers": [(name.strip().lower(), value.strip()) for name, _, value in pairs],
        "server": ("127.0.0.1", 6433),
        "client": ("127.0.0.1", 1),
    }
