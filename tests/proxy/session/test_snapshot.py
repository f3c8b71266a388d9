"""session.snapshot: what was copied stays as it was."""

from __future__ import annotations

from proxy.session.snapshot import Snapshot


def test_a_copy_is_not_touched_by_what_comes_after() -> None:
    now = Snapshot({"timezone": "UTC"}, {"timezone": "UTC"}, "bob", None, {"work_mem": "1MB"})
    before = now.copy()
    now.values["timezone"] = now.kept["timezone"] = "Asia/Tokyo"
    now.own.clear()
    assert before.values == before.kept == {"timezone": "UTC"}
    assert (before.role, before.kept_role, before.own) == ("bob", None, {"work_mem": "1MB"})
