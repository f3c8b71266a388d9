"""One short run of what every machine has: the figures are no matter here, only that there are some."""

from __future__ import annotations

import shutil
from contextlib import ExitStack

import pytest

from bench.load import SCHEMA, Choice
from bench.measure import FIGURES, Ground, measure
from bench.servers import HBA, SERVERS, Missing, _program
from bench.stage import origin


@pytest.mark.postgres
def test_each_server_answers_every_message_of_the_load() -> None:
    workloads = ("prepared", "simple", "90/10")  # between them every message that the load sends
    names = ["orrery", "orrery-2", "direct", *(["canned"] if shutil.which("cc") else [])]
    with ExitStack() as parts:
        cluster = origin(parts, SCHEMA, HBA)
        servers = [SERVERS[name](parts, cluster) for name in names]
        cells = measure(Ground(cluster, servers, Choice(seconds=1, clients=2, rows=20)), workloads, rounds=1)
    stores = [name for name in names if name != "canned"]
    assert [(cell.server, cell.failure) for cell in cells] == [
        (name, "") for name in [*names, *names, *stores]
    ]
    assert all(cell.median(figure) > 0 for cell in cells for figure in FIGURES[:4])
    assert {cell.server for cell in cells if cell.median("hit_ratio") > 0.1} == {
        "orrery",
        "orrery-2",
    }


def test_a_program_that_is_missing_is_named_with_its_package() -> None:
    with pytest.raises(Missing, match="no-such-pooler: apt-get install its-package"):
        _program("no-such-pooler", "its-package")
