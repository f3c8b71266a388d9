"""templates: figures per role and statement, bounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.metrics.templates import MAX_TEXT, Template, Templates

TEXT = "SELECT * FROM planets WHERE id = $1"


def test_a_template_is_one_per_role_and_text() -> None:
    templates = Templates(10)
    assert templates.of("anna", TEXT) is templates.of("anna", TEXT)
    assert templates.of("anna", TEXT) is not templates.of("bert", TEXT)


@pytest.mark.soundness("7.1")
def test_each_role_sees_its_own_and_nobody_elses() -> None:
    templates = Templates(10)
    own, other = templates.of("anna", TEXT), templates.of("bert", TEXT)
    other.coalesce()
    assert templates.seen_by("anna") == [own]
    assert templates.seen_by(None) == [other, own]


def test_what_a_call_came_to_is_counted() -> None:
    template = Template("anna", TEXT)
    template.fill(0.010, ttl=2.0, payload_bytes=120)
    for _ in range(6):
        template.hit(0.001)
    template.coalesce()
    template.bypass(0.030, "transaction")
    template.error()
    assert (template.calls, template.hits, template.fills, template.bypasses) == (10, 6, 1, 1)
    assert template.hit_ratio == 0.7
    assert template.mean_hit_ms == pytest.approx(1.0)
    assert template.mean_origin_ms == pytest.approx(20.0)
    assert template.saved_seconds == pytest.approx(6 * 0.020 - 6 * 0.001)
    assert (template.reason, template.ttl, template.bytes) == ("transaction", 2.0, 120)


def test_a_fill_clears_the_reason() -> None:
    template = Template("anna", TEXT)
    template.bypass(0.01, "transaction")
    template.fill(0.01, None, 1)
    assert (template.reason, template.ttl) == ("", None)


def test_a_write_counts_as_time_at_the_origin() -> None:
    template = Template("anna", "DELETE FROM planets")
    template.write(0.5)
    assert (template.writes, template.mean_origin_ms, template.hit_ratio) == (1, 500.0, 0.0)


def test_a_template_never_called_has_no_means() -> None:
    template = Template("anna", TEXT)
    figures = (template.hit_ratio, template.mean_hit_ms, template.mean_origin_ms, template.saved_seconds)
    assert figures == (0.0, 0.0, 0.0, 0.0)


@pytest.mark.soundness("7.6")
@given(st.integers(1, 5), st.lists(st.integers(0, 20), max_size=40))
def test_templates_are_bounded(limit: int, asked: list[int]) -> None:
    templates = Templates(limit)
    for number in asked:
        templates.of("anna", str(number)).hit(0.001)
        assert len(templates.seen_by(None)) <= limit


def test_the_one_asked_for_longest_ago_is_forgotten() -> None:
    templates = Templates(2)
    first = templates.of("anna", "1")
    templates.of("anna", "2")
    templates.of("anna", "1")
    templates.of("anna", "3")
    assert templates.of("anna", "1") is first
    assert templates.forgotten == 1


def test_one_in_use_is_kept_though_nobody_asks_for_it_again() -> None:
    templates = Templates(3)
    held = templates.of("anna", "held")
    for number in range(20):
        held.hit(0.001)
        templates.of("anna", str(number))
    assert templates.of("anna", "held") is held


def test_a_text_beyond_the_bound_is_cut() -> None:
    template = Templates(1).of("anna", "x" * (MAX_TEXT + 1))
    assert len(template.text) == MAX_TEXT
