"""What is read of pgbench's words and log."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.load import WORKLOADS, Choice, LoadFailed, Target, _logged, _per_statement, warm
from tools import programs
from tools.embedded import free_port

if TYPE_CHECKING:
    from pathlib import Path


def test_the_log_tells_when_each_statement_ended_and_how_long_it_took(tmp_path: Path) -> None:
    (tmp_path / "times.77").write_text("0 1 250 0 1700000000 500000\n3 9 1250 0 1700000001 0\n")
    assert _logged(tmp_path) == ([1700000000.5, 1700000001.0], [0.25, 1.25])


def test_a_log_without_a_line_is_no_load(tmp_path: Path) -> None:
    with pytest.raises(LoadFailed):
        _logged(tmp_path)


def test_meters_count_only_while_the_load_is_on() -> None:
    ended = [10.0 + at / 100 for at in range(101)]
    marks = [(9.0, 0.0), (10.25, 5.0), (10.5, 5.001), (10.75, 5.003), (11.5, 99.0)]
    (found,) = _per_statement(ended, marks)
    # One statement in four is logged: 51 lines between the two marks are 204 statements.
    assert found == pytest.approx(0.003 * 1e6 / 204)


def test_a_load_in_which_no_meter_was_read_twice_is_too_short() -> None:
    with pytest.raises(LoadFailed, match="more --seconds"):
        _per_statement([10.0, 11.0], [(9.0, 0.0), (10.5, 1.0)])


def test_writes_are_a_script_of_their_own_with_their_weight() -> None:
    weights = [*WORKLOADS["90/10"].scripts(rows=20).items()]
    assert [weight for _, weight in weights] == [90, 10]
    assert "random_zipfian(1, 20, 1.1)" in weights[0][0]
    assert "UPDATE" in weights[1][0]
    assert list(WORKLOADS["prepared"].scripts(rows=20).values()) == [100]


def test_a_block_stands_around_its_read() -> None:
    (script,) = WORKLOADS["block"].scripts(rows=20)
    assert [line.split()[0] for line in script.splitlines()] == ["\\set", "BEGIN;", "SELECT", "END;"]


def test_a_server_that_is_not_there_is_told_in_the_words_of_pgbench() -> None:
    target = Target(programs.from_wheel(16), free_port(), WORKLOADS["simple"])
    with pytest.raises(LoadFailed, match="connection to server"):
        warm(target, Choice())
