"""What buildah adds to a command's output is not the command's."""

from __future__ import annotations

from tools.image.buildah import without_own_words


def test_lines_of_buildah_itself_are_left_out() -> None:
    said = "app: PORT cannot be used\nsubprocess exited with status 1\nError: exit status 1\n"
    assert without_own_words(said) == "app: PORT cannot be used"
