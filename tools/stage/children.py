"""The programs that a stage starts: each in a process group of its own, none outlives us.

Each runs under a shell that keeps the read end of a pipe of ours. The pipe closes when we stop the program,
and also when we die in any other way: the shell then ends the program, after STOP_SECONDS its whole group.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, final

from tools.stage.errors import PartFailed, StopAsked

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT: Final = Path(__file__).resolve().parents[2]
STOP_SECONDS: Final = 10
_SHOWN_LINES: Final = 15

# Descriptor 3 carries the pipe past the rule that a background job of a shell reads /dev/null.
_KEEPER: Final = f"""
exec 3<&0
"$0" "$@" 3<&- &
child=$!
(
    cat <&3
    kill -TERM $child
    for tenth in $(seq {STOP_SECONDS}0); do kill -0 $child && sleep 0.1; done
    kill -KILL 0
) >/dev/null 2>&1 &
wait $child
"""
# A server that is just ending may still write below a folder while that is removed.
_SWEEPER: Final = 'for try in 1 2 3 4 5; do rm -rf "$0" "$@" && exit; sleep 1; done'


@final
class Stop:
    """The wish to stop, which a signal handler states and every wait obeys."""

    def __init__(self) -> None:
        self._asked = threading.Event()

    def ask(self, *_: object) -> None:
        """Let the current or the next wait end; fit to be a signal handler."""
        self._asked.set()

    def pause(self, seconds: float = 0.0) -> None:
        """Wait ``seconds``. Raises StopAsked as soon as that was asked for."""
        if self._asked.wait(seconds):
            raise StopAsked


@final
class Child:
    """One program named ``name`` for the user, running in ROOT, whose output goes to ``log``."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.name = name
        self._log = log
        with log.open("wb") as output:
            self._keeper = subprocess.Popen(
                ["/bin/sh", "-c", _KEEPER, *command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                cwd=ROOT,
                env=dict(environment),
                # Ctrl-C in a terminal reaches us alone; we stop the programs one after the other.
                start_new_session=True,
            )

    @property
    def group(self) -> int:
        """The process group of the program and of all that it starts."""
        return self._keeper.pid

    def demand_alive(self) -> None:
        """Raise PartFailed with the end of the log if the program has ended."""
        status = self._keeper.poll()
        if status is not None:
            raise PartFailed(
                f"{self.name} ended (exit status {status}); its last lines:\n{self.last_lines()}"
            )

    def last_lines(self) -> str:
        """The end of the log."""
        return "\n".join(f"  {line}" for line in self._written().splitlines()[-_SHOWN_LINES:])

    def has_finished(self) -> bool:
        """Has the program ended well? Raises PartFailed if it ended otherwise."""
        if self._keeper.poll():
            self.demand_alive()
        return self._keeper.returncode is not None

    def told(self, pattern: str) -> str | None:
        """The first group of ``pattern`` in the log, None while the log does not have it."""
        found = re.search(pattern, self._written())
        return found[1] if found else None

    def stop(self) -> None:
        """End the program, then whatever is left of its group; the second time there is nothing to do."""
        assert self._keeper.stdin is not None
        if self._keeper.stdin.closed:
            return
        self._keeper.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._keeper.wait(STOP_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(self.group, signal.SIGKILL)
        self._keeper.wait()

    def _written(self) -> str:
        return self._log.read_text(errors="replace")


@final
class Sweeper:
    """Removes ``folders`` when it is closed, or when we are gone; ``before`` is shell that it runs first."""

    def __init__(self, *folders: Path, before: str = ":") -> None:
        script = f"cat; {before}; {_SWEEPER}"
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", script, *map(str, folders)], stdin=subprocess.PIPE, start_new_session=True
        )

    def close(self) -> None:
        """Return when the folders are gone."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
