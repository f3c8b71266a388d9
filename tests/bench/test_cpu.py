"""Processor time of a tree of processes."""

from __future__ import annotations

import os
import subprocess
import sys

from bench import cpu

BURN = "import time\nwhile time.process_time() < 0.3: pass"


def test_what_a_child_used_before_it_ended_counts() -> None:
    before = cpu.seconds(os.getpid())
    subprocess.run([sys.executable, "-c", BURN], check=True)
    assert cpu.seconds(os.getpid()) - before > 0.25


def test_a_process_that_is_gone_has_used_nothing() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert cpu.seconds(process.pid) == 0.0
