"""A process of clients, to be killed at will: ``... clients FOLDER SEED WRITE_SHARE NAME:KIND ...``."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

from tests.histories.clients.client import Habits, live


async def _main(folder: Path, habits: Habits, clients: list[str]) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with asyncio.TaskGroup() as group:
        for client in clients:
            name, _, kind = client.partition(":")
            group.create_task(live(folder, name, habits, int(kind), stop))


if __name__ == "__main__":
    _, folder, seed, write_share, *clients = sys.argv
    asyncio.run(_main(Path(folder), Habits(int(seed), float(write_share)), clients))
