"""``python -m proxy.worker FILE``: one of several workers, started by ``proxy.supervisor``.

Its assignment comes by its standard input; FILE is the number of the socket by which it is given clients.
"""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import signal
import socket
import sys
from typing import Final

import uvloop

from proxy import logs
from proxy.errors import ConfigurationError
from proxy.net.handing import Told, say, take
from proxy.net.tasks import spawn
from proxy.service import Place, Service
from proxy.supervisor import Assignment

_ALIVE_SECONDS: Final = 0.5
_MISUSED: Final = 2
_ORPHANED: Final = 1

logger = logging.getLogger(__name__)


def main() -> int:
    """Work until told to end; the exit status."""
    # The terminal's signals reach all processes: the supervising one tells us what is to be done.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    assignment = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the process that has started us
    assert isinstance(assignment, Assignment)
    logs.configure(assignment.settings.log_format)
    control = socket.socket(fileno=int(sys.argv[1]))
    control.setblocking(False)
    return uvloop.run(_work(assignment, control))


async def _work(assignment: Assignment, control: socket.socket) -> int:
    settings = assignment.settings
    service = Service(
        assignment.share(), Place(assignment.slot, assignment.folder, assignment.instance, assignment.admin)
    )
    stop = asyncio.Event()
    alive = spawn(_live(service, control), name="alive")
    try:
        await service.start()
    except ConfigurationError as fault:
        say(control, Told.FAILED, 0, str(fault))
        return _MISUSED
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGHUP, lambda: spawn(service.reload(), name="reload"))

    def arrived() -> None:
        try:
            for connection in take(control):
                service.give(connection)
        except EOFError:
            # Its successor will know nothing of us: from now on we may answer nobody.
            logger.error("event=left_alone slot=%s", assignment.slot)
            os._exit(_ORPHANED)

    loop.add_reader(control.fileno(), arrived)
    say(control, Told.READY, 0)
    await stop.wait()
    await service.stop(settings.drain_seconds)
    alive.cancel()
    return 0


async def _live(service: Service, control: socket.socket) -> None:
    while True:
        say(control, Told.ALIVE, service.clients_closed)
        await asyncio.sleep(_ALIVE_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
