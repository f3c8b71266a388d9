"""Who is given the next client, who is thought to hang, and what a worker's part is."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from proxy import config, supervisor
from proxy.supervisor import HUNG_SECONDS, Assignment, Worker, in_order

if TYPE_CHECKING:
    from asyncio.subprocess import Process


@dataclass
class Ended:
    pid: int = 1


def a_worker(slot: int, clients: int = 0, heard_at: float = 100.0, *, ready: bool = True) -> Worker:
    ours, theirs = socket.socketpair()
    theirs.close()
    ours.close()
    worker = Worker(slot, cast("Process", Ended()), ours, 0.0, heard_at, ready=ready, said_something=ready)
    worker.handed = clients
    return worker


def slots(workers: list[Worker], last: int = -1) -> list[int]:
    return [worker.slot for worker in in_order(workers, 100.0, last)]


def test_the_fewest_clients_come_first_and_equals_take_turns() -> None:
    assert slots([a_worker(0, 3), a_worker(1, 1), a_worker(2, 2)]) == [1, 2, 0]
    equal = [a_worker(0), a_worker(1), a_worker(2)]
    assert slots(equal) == [0, 1, 2]
    assert slots(equal, last=0) == [1, 2, 0]
    assert slots(equal, last=2) == [0, 1, 2]


def test_clients_that_have_left_do_not_count() -> None:
    busy, left = a_worker(0, 2), a_worker(1, 5)
    left.closed = 5
    assert slots([busy, left]) == [1, 0]


def test_whoever_is_silent_comes_last_and_whoever_is_not_ready_not_at_all() -> None:
    assert slots([a_worker(0, heard_at=50.0), a_worker(1, 9), a_worker(2, ready=False)]) == [1, 0]


def test_one_that_has_said_nothing_yet_may_take_its_time() -> None:
    silent = a_worker(0, heard_at=0.0)
    assert silent.is_hung(HUNG_SECONDS + 1)
    silent.said_something = False
    assert not silent.is_hung(HUNG_SECONDS + 1)


def test_each_worker_has_its_part_of_what_there_is_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u@h/d")
    settings = config.load({"workers": "4", "cache_bytes": "400MiB", "max_clients": "10"})
    part = Assignment(settings, 0, Path(), "i", None).share()
    assert (part.cache_bytes, part.max_clients, part.workers) == (100 << 20, 3, 4)


def test_every_name_in_the_folder_leads_to_nobody_at_first() -> None:
    folder = supervisor._folder(3)
    for slot in range(3):
        with (
            socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as looking,
            pytest.raises(ConnectionRefusedError),
        ):
            looking.connect(str(folder / str(slot)))
        (folder / str(slot)).unlink()
    folder.rmdir()
