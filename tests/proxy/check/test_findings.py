"""The report of a check."""

from __future__ import annotations

import json

from proxy.check.findings import Finding, Freshness, Report

GOOD = Finding("connect", "good", "it answers")
NOTE = Finding("writers", "note", "pg_cron writes")
BAD = Finding("login", "bad", "no")
LEVEL = Freshness("ttl", "because", "something would raise it")


def test_notes_are_in_nobodys_way() -> None:
    assert Report("o", (GOOD, NOTE), LEVEL).works
    assert not Report("o", (GOOD, BAD), LEVEL).works


def test_a_check_that_did_not_come_to_the_end_does_not_work() -> None:
    assert not Report("o", (GOOD,)).works


def test_the_text_has_a_line_for_each_and_a_verdict() -> None:
    assert Report("o", (GOOD, NOTE), LEVEL).as_text().splitlines() == [
        "ok    connect: it answers",
        "note  writers: pg_cron writes",
        "ok    freshness: ttl, because; something would raise it",
        "the proxy can work before o",
    ]
    assert Report("o", (BAD,)).as_text().splitlines() == ["FAIL  login: no", "the proxy cannot work before o"]


def test_the_json_says_the_same() -> None:
    told = json.loads(Report("o", (NOTE,), LEVEL).as_json())
    assert told["works"] is True
    assert told["findings"] == [{"name": "writers", "verdict": "note", "sentence": "pg_cron writes"}]
    assert told["freshness"]["level"] == "ttl"
