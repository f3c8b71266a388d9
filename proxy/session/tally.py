"""Every request ends in exactly one outcome: which one, and where it is counted."""

from __future__ import annotations

from proxy.cache.entry import Entry
from proxy.metrics.counters import Counters
from proxy.metrics.templates import Template
from proxy.session.exchange import Exchange
from proxy.sql.analysis import NOTHING, Extent


def outcome(exchange: Exchange, entry: Entry | None) -> tuple[str, str]:
    """Outcome and reason (one word, "" for a fill or write) of a batch that the origin has answered."""
    if exchange.failed:
        return "error", ""
    reach = NOTHING
    for statement in exchange.ran:
        reach |= statement.reach
    if reach.extent != Extent.NOTHING:
        return "write", ""
    if entry is not None:
        return "fill", ""
    return "bypass", exchange.refusal or "moved"


def count(
    counters: Counters, template: Template | None, exchange: Exchange, entry: Entry | None, seconds: float
) -> tuple[str, str]:
    """Count it, and give back what it was. ``seconds``: from sending to ReadyForQuery."""
    word, reason = outcome(exchange, entry)
    if word == "error":
        counters.error += 1
    elif word == "write":
        counters.write += 1
    elif word == "fill":
        counters.fill += 1
    else:
        counters.bypass(reason)
    if template is not None:
        _count_template(template, word, reason, entry, seconds)
    return word, reason


def _count_template(template: Template, word: str, reason: str, entry: Entry | None, seconds: float) -> None:
    if word == "error":
        template.error()
    elif word == "write":
        template.write(seconds)
    elif entry is not None:
        template.fill(seconds, entry.expires - entry.born, len(entry.payload))
    else:
        template.bypass(seconds, reason)
