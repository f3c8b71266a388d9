"""``make profile``: where the proxy's time goes while it answers hits, as a file for a viewer.

py-spy reads the stack of the running proxy from outside, without stopping it: a few looks fail, the rest
tells where Python is. uvloop and its system calls count for the line that called them, ``run`` for most. The
file opens in speedscope, or in any browser with ``--format flamegraph``.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import psutil

from bench import load
from bench.load import PROTOCOLS, SCHEMA, WORKLOADS, Choice
from bench.stage import guarded, origin, proxy

# How often py-spy looks, a second.
_RATE: Final = 250
_SUFFIXES: Final = {"speedscope": "speedscope.json", "flamegraph": "svg"}


def main() -> int:
    """Put the load on and record. Exit status 1, with its words: py-spy could not."""
    parser = argparse.ArgumentParser(prog="make profile", description="where the time of a hit goes")
    parser.add_argument("--protocol", choices=PROTOCOLS, default=PROTOCOLS[0])
    parser.add_argument("--seconds", type=int, default=10, help="that are recorded (default 10)")
    parser.add_argument("--format", choices=tuple(_SUFFIXES), default="speedscope")
    parser.add_argument("--out", type=Path, help="(build/hits.speedscope.json or build/hits.svg)")
    options = parser.parse_args()
    out: Path = options.out or Path("build") / f"hits.{_SUFFIXES[options.format]}"
    out.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as parts:
        cluster = origin(parts, SCHEMA)
        place, child = proxy(parts, cluster, cluster.port)
        target = load.Target(cluster.programs, place.port, WORKLOADS[options.protocol])
        load.warm(target, Choice())
        recording = parts.enter_context(_record(_interpreter(child.group), options, out))
        done = load.run(target, Choice(seconds=options.seconds), ())
        complaint = recording.communicate(timeout=options.seconds + 60)[1]
    if recording.returncode:
        print(f"make profile: {complaint.strip()}", file=sys.stderr)
        return 1
    print(f"{done.tps:,.0f} {options.protocol} hits a second while recorded; {out}")
    return 0


def _interpreter(group: int) -> int:
    """The proxy's own process, below the shell that keeps it."""
    pids: list[int] = [one.pid for one in psutil.Process(group).children() if "python" in one.name()]
    return pids[0]


def _record(pid: int, options: argparse.Namespace, out: Path) -> subprocess.Popen[str]:
    program = Path(sys.executable).with_name("py-spy")
    how = ("--duration", str(options.seconds), "--rate", str(_RATE), "--nonblocking")
    what = ("--format", options.format, "--output", str(out), "--pid", str(pid))
    return subprocess.Popen([program, "record", *how, *what], stderr=subprocess.PIPE, text=True)


if __name__ == "__main__":
    sys.exit(guarded("make profile", main))
