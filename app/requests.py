"""One id and one log line for each request; an error that nobody expected becomes an answer here."""

from __future__ import annotations

import logging
import re
import time
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final, final
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

logger = logging.getLogger(__name__)

HEADER: Final = "X-Request-ID"
# What a caller may choose: it is repeated in a header and in the log.
_ACCEPTED: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_current: ContextVar[str] = ContextVar("request_id", default="-")


def request_id() -> str:
    """The id of the request that is being answered; ``-`` outside of one."""
    return _current.get()


def _choose_id(offered: str | None) -> str:
    return offered if offered is not None and _ACCEPTED.fullmatch(offered) else uuid4().hex


@final
class RequestIds:
    """ASGI middleware; it stands outermost. ``answer_failure`` makes the response to an unexpected error."""

    def __init__(self, app: ASGIApp, answer_failure: Callable[[str], Response]) -> None:
        self._app = app
        self._answer_failure = answer_failure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request under its id; what is no request passes through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        token = _current.set(_choose_id(Headers(scope=scope).get(HEADER)))
        try:
            await self._answer(scope, receive, send)
        finally:
            _current.reset(token)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.monotonic()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = request_id()
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception:
            logger.exception("request_id=%s outcome=failed", request_id())
            if status:
                raise
            await self._answer_failure(scope["path"])(scope, receive, send_with_id)
        finally:
            _log(scope, status, time.monotonic() - began)


def _log(scope: Scope, status: int, seconds: float) -> None:
    logger.info(
        "request_id=%s method=%s path=%s status=%d ms=%.1f",
        request_id(),
        scope["method"],
        # the path as it came, percent-encoded: a log line stays one line
        scope["raw_path"].decode("latin-1"),
        status,
        seconds * 1000,
    )
