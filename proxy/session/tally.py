"""Every request ends in exactly one outcome: which one, and where it is counted."""

from __future__ import annotations

from proxy.cache.entry import Entry
from proxy.metrics.counters import Counters
from proxy.metrics.templates import Template
from proxy.session.exchange import Exchange
from proxy.sql.analysis import Extent


def outcome(exchange: Exchange, entries: list[Entry]) -> tuple[str, str]:
    """Outcome and reason (one word, "" for a fill or write) of a batch that the origin has answered."""
    if exchange.failed:
        return "error", ""
    if any(statement.reach.extent != Extent.NOTHING for statement in exchange.ran):
        return "write", ""
    if entries:
        return "fill", ""
    return "bypass", exchange.refusal or "moved"


def count(
    counters: Counters,
    template: Template | None,
    exchange: Exchange,
    entries: list[Entry],
    seconds: float,
    *,
    expiring: bool,
) -> tuple[str, str]:
    """Count it, and give back what it was.

    ``entries`` were stored; ``seconds``: from sending to ReadyForQuery; ``expiring``: at level ttl.
    """
    word, reason = outcome(exchange, entries)
    if word == "error":
        counters.error += 1
    elif word == "write":
        counters.write += 1
    elif word == "fill":
        counters.fill += len(entries)
    else:
        counters.bypass(reason)
    if template is not None:
        if word == "fill":
            entry = entries[-1]
            ttl = entry.expires - entry.born if expiring else None
            template.fill(seconds, ttl, len(entry.payload))
        else:
            _count_template(template, word, reason, seconds)
    return word, reason


def _count_template(template: Template, word: str, reason: str, seconds: float) -> None:
    if word == "error":
        template.error()
    elif word == "write":
        template.write(seconds)
    else:
        template.bypass(seconds, reason)
