"""Two equal databases of one server, and the clients of both: one direct, one through the proxy."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, final

from tests.differential.comparison import DIRECT_NAME, PROXIED_NAME
from tests.differential.script import CLIENTS
from tests.differential.speaker import Speaker

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from proxy.wire.framing import Frame
    from tests.differential.messages import Step
    from tests.postgres import Cluster

# Physical order and plans shall not move by themselves; a client that waits for a lock is a mistake here.
SETTINGS: Final = {
    "autovacuum": "off",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "lock_timeout": "2s",
    "synchronize_seqscans": "off",
}
_TEMPLATE: Final = "twins"


class Voice(Protocol):
    """What a script needs of a connection."""

    @property
    def pid(self) -> int:
        """The process id that its login was given."""

    def say(self, step: Step) -> list[Frame]:
        """Send a step; every message that came back. OSError: no answer, or the connection is gone."""


class Pair(NamedTuple):
    """One client of the script, twice."""

    direct: Voice
    proxied: Voice


@final
class Nursery:
    """Makes twins in ``cluster``; ``proxied_url`` gives the address of a database through the proxy."""

    def __init__(self, cluster: Cluster, proxied_url: Callable[[str], str]) -> None:
        self._cluster = cluster
        self._proxied_url = proxied_url
        self._numbers = count(1)
        cluster.execute("CREATE ROLE reader")
        cluster.execute(f"CREATE DATABASE {_TEMPLATE}")
        cluster.execute(Path(__file__).with_name("schema.sql").read_text(), _TEMPLATE)

    @contextmanager
    def twins(self) -> Generator[list[Pair]]:
        """Fresh twins with all clients logged in; the databases are dropped at the end."""
        with self.databases() as urls, ExitStack() as speakers:
            yield [Pair(*(speakers.enter_context(Speaker(url)) for url in urls)) for _ in range(CLIENTS)]

    @contextmanager
    def databases(self) -> Generator[tuple[str, str]]:
        """Fresh twins: the addresses of one direct and of the other through the proxy."""
        number = next(self._numbers)
        names = (f"{DIRECT_NAME}{number}", f"{PROXIED_NAME}{number}")
        for name in names:
            self._cluster.execute(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
        try:
            yield self._cluster.url(names[0]), self._proxied_url(names[1])
        finally:
            for name in names:
                self._cluster.execute(f"DROP DATABASE {name} WITH (FORCE)")
