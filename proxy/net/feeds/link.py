"""One connection between two workers: messages in, messages out, in order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final, cast, final

from proxy.net.feeds.messages import Message, decode, encode

logger = logging.getLogger(__name__)

# A line is an announcement or an answer with the figures of all templates: a few megabytes at the most.
_MAX_LINE_BYTES: Final = 256 << 20


@final
class Link(asyncio.Protocol):
    """``on_message`` gets each message with this link, ``on_lost`` the link once it is gone.

    ``slot`` is the place of the other end, -1 until it has told. What waits to be sent is bounded by what is
    under way: each client has one batch, and its next waits for this one to be acknowledged.
    """

    def __init__(
        self, on_message: Callable[[Link, Message], None], on_lost: Callable[[Link], None], slot: int = -1
    ) -> None:
        self.slot = slot
        self._on_message = on_message
        self._on_lost = on_lost
        self._transport: asyncio.Transport | None = None
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Whole lines are messages."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _MAX_LINE_BYTES:
            self._give_up()
            return
        for line in lines:
            try:
                message = decode(line)
            except ValueError:
                self._give_up()
                return
            self._on_message(self, message)

    def connection_lost(self, _: Exception | None) -> None:
        """It is gone."""
        self._lose()

    def _give_up(self) -> None:
        """The other end takes this for the end of a process: first we stop relying on it ourselves."""
        logger.error("event=feed_broken slot=%s", self.slot)
        transport = self._transport
        self._lose()
        if transport is not None:
            transport.abort()

    def _lose(self) -> None:
        if self._transport is not None:
            self._transport = None
            self._on_lost(self)

    def send(self, *message: object) -> None:
        """Queue a message."""
        if self._transport is not None:
            self._transport.write(encode(*message))
