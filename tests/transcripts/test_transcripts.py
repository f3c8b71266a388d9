"""transcripts: every conversation goes as it is written down; a failure shows where it went another way."""

from __future__ import annotations

import difflib

import pytest

from tests.transcripts.player import STEP, perform, script_of
from tests.transcripts.shelf import names, path_of


@pytest.mark.parametrize("name", names())
def test_the_conversation_goes_as_written(name: str) -> None:
    written = path_of(name).read_text()
    played = perform(script_of(written))
    difference = difflib.unified_diff(
        written.splitlines(), played.splitlines(), "written", "played now", lineterm=""
    )
    assert written == played, "\n".join(["", *difference])


@pytest.mark.parametrize("name", names())
def test_a_transcript_says_what_it_shows_and_shows_it(name: str) -> None:
    lines = path_of(name).read_text().splitlines()
    assert lines[0].startswith("# ")
    assert any(line.startswith(STEP) for line in lines)
    assert any(line.startswith("   ") for line in lines)


def test_a_step_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="no such step"):
        perform([">> alice dances"])
