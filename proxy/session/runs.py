"""What a batch runs at the origin, statement by statement, and whether names can be trusted to say so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from proxy.session import effects, naming, rows
from proxy.session.statements import UNKNOWN_SCOPE

if TYPE_CHECKING:
    from proxy.schema.catalogue import Catalogue
    from proxy.session.batch import Batch
    from proxy.session.session import Session
    from proxy.sql.analysis import Statement


@final
class Runs:
    """Of ``session``."""

    __slots__ = ("_names_catalogue", "_names_scope", "_session")

    def __init__(self, session: Session) -> None:
        self._session: Final = session
        self._names_catalogue: Catalogue | None = None
        self._names_scope = UNKNOWN_SCOPE

    def of(self, batch: Batch) -> tuple[Statement, ...]:
        """What this batch runs, in order; whatever is not certain may do anything."""
        ran: list[Statement] = []
        doubtful = self._session.uplink.is_uncertain()
        if batch.own_query is not None:
            return ()
        self._forget_stale_names()
        meaning = self._session.outlook.statements_now
        tail = batch.reads[0].tail if len(batch.reads) == len(batch.runs) == 1 else b""
        for statement in self._statements_of(batch):
            known = effects.resolve_names(statement, self._session.statements, meaning)
            known = effects.with_parameters(known, tail)
            if doubtful and known.transaction is None and known.verb != "set":
                known = effects.in_doubt(known)
            doubtful = doubtful or effects.moves_scope(known)
            ran.append(known)
        return tuple(ran)

    def _forget_stale_names(self) -> None:
        """What PREPARE put behind a name was judged by one catalogue and scope; PostgreSQL plans anew."""
        catalogue, scope = self._session.database.catalogue, self._session.outlook.scope
        if catalogue is not self._names_catalogue or scope != self._names_scope:
            self._names_catalogue, self._names_scope = catalogue, scope
            self._session.statements.sql_named.clear()

    def _statements_of(self, batch: Batch) -> list[Statement]:
        outlook = self._session.outlook
        found: list[Statement] = []
        for read in batch.reads:
            # Planning at Bind runs functions that claim to be immutable, whether or not Execute follows.
            if not read.executed:
                planned = outlook.statements_now(read.statement)
                if any(not s.reach.proven for s in planned):
                    found.extend(planned)
        for prepared, tail in zip(batch.runs, batch.tails, strict=True):
            sure = prepared is not None and naming.has_present_types(self._session, prepared)
            found.extend(rows.bound(outlook.statements_now(prepared), prepared if sure else None, tail))
        if batch.simple is not None:
            assert batch.simple.analysis is not None
            found.extend(batch.simple.analysis.statements)
        return found
