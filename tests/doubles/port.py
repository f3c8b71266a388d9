"""A port that does nothing but remember, in order, what a session asked of the world."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from proxy.cache.tags import Reach, Suspension
from proxy.errors import OrreryError
from proxy.metrics.templates import Template, Templates
from proxy.session.own import Rows

if TYPE_CHECKING:
    from proxy.cache.entry import Entry
    from proxy.session.session import Session
    from proxy.session.shapes import Shape


class RecordingPort:
    """``writes`` is what the client was sent, one item for each call; ``asked`` all else, by name.

    ``catalogue_is_young``: the catalogue was read a moment ago, reading it again is refused.
    """

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.asked: list[str] = []
        self.doubts: list[tuple[Suspension, bool]] = []
        self.audited: list[tuple[Shape, Entry]] = []
        self.woken: list[Session] = []
        self.purged: list[tuple[str, ...] | None] = []
        self.purge_fault: OrreryError | None = None
        self.catalogue_is_young = False
        self.sees_all = False
        self.has_workers = False
        self.announced: list[tuple[Suspension, Reach, bool]] = []
        self.purged_elsewhere: list[tuple[str, ...] | None] = []
        self.shared_templates = Templates(100)
        self.borrow: Callable[[], bool] = lambda: False

    def to_client(self, data: bytes) -> None:
        self.writes.append(data)

    def close_client(self) -> None:
        self.asked.append("close_client")

    def need_origin(self) -> None:
        self.asked.append("need_origin")

    def borrow_origin(self) -> bool:
        return self.borrow()

    def withdraw_origin(self) -> bool:
        self.asked.append("withdraw_origin")
        return True

    def hold_block(self, seconds: float) -> None:
        self.asked.append(f"hold_block {seconds:g}")

    def give_back_origin(self, *, usable: bool) -> None:
        self.asked.append("give_back_origin" if usable else "give_back_origin spoiled")

    def pass_on_cancel(self) -> None:
        self.asked.append("pass_on_cancel")

    def need_catalogue(self) -> bool:
        self.asked.append("need_catalogue")
        return not self.catalogue_is_young

    def catalogue_changed(self, *, everywhere: bool) -> None:
        self.asked.append("catalogue_changed everywhere" if everywhere else "catalogue_changed")

    def shared_change_ahead(self) -> None:
        self.asked.append("shared_change_ahead")

    def announce(self, suspension: Suspension, reach: Reach, *, ddl: bool) -> None:
        self.announced.append((suspension, reach, ddl))

    def ask_workers(self, purges: Sequence[tuple[str, ...] | None], *, queries: bool) -> bool:
        if self.has_workers:
            self.asked.append("ask_workers with queries" if queries else "ask_workers")
            self.purged_elsewhere.extend(purges)
        return self.has_workers

    def templates(self, role: str | None) -> Sequence[Template]:
        return self.shared_templates.seen_by(role)

    def wake(self, followers: Sequence[Session]) -> None:
        self.asked.append("wake")
        self.woken.extend(followers)

    def wait_for_flight(self) -> None:
        self.asked.append("wait_for_flight")

    def in_doubt(self, suspension: Suspension, *, ddl: bool) -> None:
        self.asked.append("in_doubt")
        self.doubts.append((suspension, ddl))

    def audit(self, shape: Shape, entry: Entry) -> None:
        self.audited.append((shape, entry))

    def translate_notification(self, raw: bytes) -> bytes:
        return raw

    def purge(self, table: tuple[str, ...] | None) -> Callable[[], None]:
        if self.purge_fault is not None:
            raise self.purge_fault
        return lambda: self.purged.append(table)

    def status(self) -> Rows:
        return (("version", "test"),)

    def stats(self) -> Rows:
        return (("outcomes.hit", 3),)

    def sees_all_roles(self) -> bool:
        return self.sees_all
