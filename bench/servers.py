"""What is measured side by side: PostgreSQL itself, the poolers, the limit, and the proxy."""

from __future__ import annotations

import shutil
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psycopg

from bench.stage import DATABASE, proxy, start, until
from tools import programs
from tools.embedded import HOST, SUPERUSER, Cluster, free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import ExitStack

# A pooler must not need the password that PostgreSQL hides from it: it measures no logins.
HBA: Final = (f"host {DATABASE} {SUPERUSER} 127.0.0.1/32 trust",)
_SOURCE: Final = Path(__file__).with_name("canned.c")
# More connections than any load here has.
_CONNECTIONS: Final = 90


class Missing(Exception):
    """This machine has not what a server needs; the message says what that is."""


@dataclass(frozen=True, slots=True)
class Server:
    """One that a load can be put on. ``root``: the process above all that it consists of. ``hits``: how many
    reads its memory has answered, where it tells; ``memories``: how many it has, that each must be filled.
    ``stores``: is what is written there read again?
    """

    name: str
    port: int
    root: int
    hits: Callable[[], int] | None = None
    stores: bool = True
    memories: int = 1


def direct(_: ExitStack, cluster: Cluster) -> Server:
    """PostgreSQL itself."""
    return Server("direct", cluster.port, cluster.pid)


def pgbouncer(mode: str) -> Callable[[ExitStack, Cluster], Server]:
    """PgBouncer in this ``pool_mode``."""

    def begin(parts: ExitStack, cluster: Cluster) -> Server:
        program = _program("pgbouncer", "pgbouncer")
        name, port = f"pgbouncer-{mode}", free_port()
        users = cluster.folder / f"{name}.users"
        users.write_text(f'"{SUPERUSER}" ""\n')
        settings = {
            "listen_addr": HOST,
            "listen_port": str(port),
            "unix_socket_dir": "",
            "auth_type": "trust",
            "auth_file": str(users),
            "pool_mode": mode,
            "default_pool_size": str(_CONNECTIONS),
        }
        if programs.identity()["user"] is not None:
            settings["user"] = "nobody"
        way = f"[databases]\n{DATABASE} = host={HOST} port={cluster.port}\n[pgbouncer]\n"
        path = _written(cluster.folder / f"{name}.ini", settings, way)
        child = start(parts, cluster.folder / f"{name}.log", (program, str(path)))
        _await_login(name, port, child.demand_alive)
        return Server(name, port, child.group)

    return begin


def pgpool(parts: ExitStack, cluster: Cluster) -> Server:
    """pgpool-II with its query cache in shared memory."""
    program, port, folder = _program("pgpool", "pgpool2"), free_port(), cluster.folder
    settings = {
        "listen_addresses": f"'{HOST}'",
        "port": str(port),
        "pcp_listen_addresses": "''",
        "pcp_port": str(free_port()),
        "socket_dir": f"'{folder}'",
        "pcp_socket_dir": f"'{folder}'",
        "pid_file_name": f"'{folder / 'pgpool.pid'}'",
        "logdir": f"'{folder}'",
        "backend_clustering_mode": "'raw'",
        "backend_hostname0": f"'{HOST}'",
        "backend_port0": str(cluster.port),
        "num_init_children": "32",
        "max_pool": "1",
        "memory_cache_enabled": "on",
        "memqcache_method": "'shmem'",
        "memqcache_oiddir": f"'{folder / 'oids'}'",
    }
    path = _written(folder / "pgpool.conf", settings)
    child = start(parts, folder / "pgpool.log", (program, "-n", "-f", str(path)))
    _await_login("pgpool", port, child.demand_alive)
    return Server("pgpool", port, child.group)


def canned(parts: ExitStack, cluster: Cluster) -> Server:
    """The limit: C and epoll with answers that never change, compiled here and now."""
    compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    if compiler is None:
        raise Missing("a C compiler: apt-get install gcc libc6-dev")
    program, port = cluster.folder / "canned", free_port()
    done = subprocess.run(
        [compiler, "-O2", "-o", program, _SOURCE], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Missing(f"a C compiler that works: {done.stderr[-300:]}")
    child = start(parts, cluster.folder / "canned.log", (str(program), str(port)))
    until(lambda: _answers(port), "canned")
    return Server("canned", port, child.group, stores=False)


def orrery(name: str, *options: str, memories: int = 1) -> Callable[[ExitStack, Cluster], Server]:
    """The proxy of these sources, with more options; ``memories``: as many as it has workers."""

    def begin(parts: ExitStack, cluster: Cluster) -> Server:
        place, child = proxy(parts, cluster, cluster.port, options=options)
        return Server(name, place.port, child.group, lambda: place.outcomes()["hit"], memories=memories)

    return begin


# In the order in which they start. A proxy that finds connections of a pooler's at its start must take them
# for those of a predecessor, and holds level wire back until they are gone.
SERVERS: Final[Mapping[str, Callable[[ExitStack, Cluster], Server]]] = {
    "orrery": orrery("orrery"),
    "orrery-2": orrery("orrery-2", "--workers", "2", memories=2),
    "orrery-pass": orrery("orrery-pass", "--cache", "off"),
    "direct": direct,
    "pgbouncer-session": pgbouncer("session"),
    "pgbouncer-transaction": pgbouncer("transaction"),
    "pgpool": pgpool,
    "canned": canned,
}


def _program(name: str, package: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if found is None:
        raise Missing(f"{name}: apt-get install {package}")
    return found


def _written(path: Path, settings: Mapping[str, str], head: str = "") -> Path:
    path.write_text(head + "".join(f"{name} = {value}\n" for name, value in settings.items()))
    return path


def _await_login(name: str, port: int, demand_alive: Callable[[], None]) -> None:
    def works() -> bool:
        demand_alive()
        try:
            psycopg.connect(host=HOST, port=port, user=SUPERUSER, dbname=DATABASE, connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    until(works, name)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return not probe.connect_ex((HOST, port))
