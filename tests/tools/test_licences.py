"""licences: the list says what is locked, no more and no less."""

from __future__ import annotations

from tools import licences


def test_the_kept_list_is_that_of_the_lock_files() -> None:
    assert licences.REPORT.read_text() == licences.report()


def test_every_shipped_package_states_a_licence() -> None:
    unstated = [part for part in licences.python_parts() if not part.licence]
    assert not unstated
