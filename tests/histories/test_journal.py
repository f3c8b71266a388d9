"""A journal survives its writer, and says what was in doubt."""

from __future__ import annotations

from pathlib import Path

from tests.histories.history import ACKNOWLEDGED, IN_DOUBT, NEVER, REFUSED, Row
from tests.histories.journal import SUFFIX, Effect, Journal, load

A = Effect("update", "register 1", "a")
B = Effect("appear", "place 2", "b")


def test_what_was_written_down_is_read_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "client")
    journal.incarnation = 3
    journal.settle(journal.announce("UPDATE", [A]), ACKNOWLEDGED, {"register 1": 7})
    journal.settle(journal.announce("INSERT", [B]), REFUSED)
    journal.read(
        "SELECT", 1.5, {"register 1": [Row("a", 7)], "register 2": [Row("z", 0)]}, {"register 1": "a"}
    )
    journal.scan("SELECT", 2.5, "place 2", ["b", "c"])
    journal.odd("a surprise")
    journal.close()
    history = load(tmp_path)
    first, second = history.writes
    assert (first.token, first.outcome, first.number, first.client) == ("a", ACKNOWLEDGED, 7, "client")
    assert first.began <= first.ended
    assert (second.kind, second.object, second.outcome, second.number) == ("appear", "place 2", REFUSED, None)
    assert [(r.object, r.rows, r.own, r.incarnation) for r in history.reads] == [
        ("register 1", (Row("a", 7),), "a", 3),
        ("register 2", (Row("z", 0),), None, 3),
    ]
    assert history.scans[0].tokens == {"b", "c"}
    assert history.statements == 2
    assert len(history.oddities) == 1


def test_a_write_without_an_end_is_in_doubt(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "killed")
    journal.announce("UPDATE", [A])
    journal.settle(journal.announce("INSERT", [B]), IN_DOUBT)
    journal.close()
    assert [(w.outcome, w.ended) for w in load(tmp_path).writes] == [(IN_DOUBT, NEVER)] * 2
    assert load(tmp_path).in_doubt() == 2


def test_a_line_that_was_cut_off_counts_as_not_written(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "killed")
    number = journal.announce("UPDATE", [A])
    journal.settle(number, ACKNOWLEDGED, {})
    journal.close()
    path = tmp_path / f"killed{SUFFIX}"
    path.write_bytes(path.read_bytes()[:-5])
    assert [w.outcome for w in load(tmp_path).writes] == [IN_DOUBT]
