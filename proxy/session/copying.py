"""COPY blurs where one batch ends and the next begins: which Sync counts, and what belongs together then.

While data are copied the origin ignores Sync and Flush, and whatever else comes that is no data breaks the
COPY. So a batch whose COPY begins may not be over with the Sync that it was sent with.
Source: PostgreSQL docs, protocol-flow, "COPY Operations".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.errors import OriginProtocolError
from proxy.session import landing
from proxy.session.exchange import BEFORE_SYNC, BEHIND_SYNC

if TYPE_CHECKING:
    from proxy.session.exchange import Exchange
    from proxy.session.uplink import Uplink


def begun(uplink: Uplink, exchange: Exchange) -> None:
    """The origin waits for data. A Sync that was sent before the end of the data is ignored.

    Raises ``OriginProtocolError`` where nobody has asked for a COPY.
    """
    if exchange.silent:
        raise OriginProtocolError("the origin wants data for a question of the proxy's own")
    end = exchange.end_of_copy()
    if end == BEFORE_SYNC:
        exchange.copying = False
        return
    ended = end == BEHIND_SYNC
    while not ended and len(uplink.exchanges) > 1 and uplink.exchanges[1].only_syncs:
        ended = _absorb_next(uplink, exchange).has_copy_end
    exchange.copying = not ended
    if not exchange.in_query:
        (_join_next if ended else reopen)(uplink, exchange)
    uplink.session.room_again()


def reopen(uplink: Uplink, exchange: Exchange) -> None:
    """This exchange is not over with the terminator it was sent with: the next one ends it. That is a
    Sync: a Query is skipped, or refused during COPY, as whatever else comes before.
    """
    exchange.synced = False
    while len(uplink.exchanges) > 1 and not exchange.synced:
        following = _absorb_next(uplink, exchange)
        exchange.synced = following.synced and not following.ends_without_sync


def _join_next(uplink: Uplink, exchange: Exchange) -> None:
    """Its COPY has swallowed the Sync that it was sent with, and its data have ended: what was sent next
    is run by the origin with no other Sync before it.
    """
    exchange.synced = False
    while len(uplink.exchanges) > 1 and not exchange.synced:
        following = _absorb_next(uplink, exchange)
        exchange.follow_with(following)
        exchange.synced = following.synced


def _absorb_next(uplink: Uplink, exchange: Exchange) -> Exchange:
    """The one behind it has no end of its own: what it may change is settled with this one."""
    following = uplink.exchanges[1]
    del uplink.exchanges[1]
    exchange.ran += following.ran
    exchange.reach |= following.reach
    exchange.suspensions += following.suspensions
    exchange.commits = exchange.commits or following.commits
    landing.finish_flights(uplink.session, following)
    return following
