"""steps: a line that tells what is done, and how it ended."""

from __future__ import annotations

import pytest

from tools.stage.errors import PartFailed
from tools.stage.steps import step


def test_a_step_is_told_before_and_after_it_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    with step("starting PostgreSQL"):
        assert capsys.readouterr().out == "starting PostgreSQL ... "
    assert capsys.readouterr().out.endswith(" s\n")


def test_a_step_that_fails_ends_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(PartFailed), step("starting PostgreSQL"):
        raise PartFailed
    assert capsys.readouterr().out == "starting PostgreSQL ... not done\n"
