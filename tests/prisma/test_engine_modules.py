"""The engines' modules by themselves: Node's own test runner asks them, see prisma/engines/test/."""

from __future__ import annotations

import subprocess

import pytest

from tests.prisma.commands import ENGINES


@pytest.mark.prisma
@pytest.mark.parametrize("subject", ["connection", "graphql", "translate"])
def test_the_modules_keep_what_their_tests_say(subject: str) -> None:
    command = [str(ENGINES / "node"), "--test", str(ENGINES / "test" / f"{subject}.test.mjs")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "# fail 0" in done.stdout or "fail 0" in done.stdout
