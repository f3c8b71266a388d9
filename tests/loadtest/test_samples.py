"""samples: what is written is read again, each line once it is whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtest.samples import Sample, SampleFile, SampleReader

FIRST = Sample(1.5, "GET", "/planets", 2.25, "")
SECOND = Sample(2.0, "PATCH", "/planets/{id}", 95.5, 'refused, with "quotes", and a comma')


def test_each_sample_is_read_once_while_more_are_written(tmp_path: Path) -> None:
    path = tmp_path / "samples"
    reader = SampleReader(path)
    assert reader.more() == []
    with SampleFile(path) as file:
        assert reader.more() == []
        file.add(FIRST)
        assert reader.more() == [FIRST]
        file.add(SECOND)
        assert reader.more() == [SECOND]
    assert reader.more() == []


def test_a_line_that_is_still_being_written_is_left(tmp_path: Path) -> None:
    path = tmp_path / "samples"
    with SampleFile(path) as file:
        file.add(FIRST)
    reader = SampleReader(path)
    with path.open("a") as unfinished:
        unfinished.write("3.000000,GET,/plan")
        unfinished.flush()
        assert reader.more() == [FIRST]
        unfinished.write("ets,1.0000,\n")
    assert reader.more() == [Sample(3.0, "GET", "/planets", 1.0, "")]


@pytest.mark.parametrize("failure", ["two\nlines", "carriage\rreturn", "a\u2028separator"])
def test_a_failure_of_several_lines_is_read_as_one(tmp_path: Path, failure: str) -> None:
    path = tmp_path / "samples"
    with SampleFile(path) as file:
        file.add(FIRST._replace(failure=failure))
        file.add(SECOND)
    first, second = SampleReader(path).more()
    assert first.failure.split() == failure.split()
    assert second == SECOND
