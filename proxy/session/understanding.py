"""From a text to its shape: analysed under the session's names and the catalogue of the moment."""

from __future__ import annotations

from collections.abc import Iterable

from proxy.cache.entry import Slot
from proxy.schema import names
from proxy.schema.catalogue import Catalogue
from proxy.session import ping, rows
from proxy.session.database import Database
from proxy.session.shapes import Form, Shape
from proxy.session.shared import Shared
from proxy.session.standing import ASKS_SEQUENCES, SEEDS
from proxy.session.state import State
from proxy.sql import analyse
from proxy.sql.analysis import UNKNOWN, Analysis, Doubt, Statement

# A text that pglast would misread: it knows UTF-8 and standard strings only.
UNREADABLE = Analysis(
    (Statement("unknown", reason="encoding", reach=UNKNOWN, state=(Doubt(),)),),
    template="(not read)",
    reach=UNKNOWN,
)


def understand(shape: Shape, shared: Shared, database: Database, state: State) -> None:
    """Fill in analysis and slot, unless they hold already for the present catalogue."""
    catalogue = database.catalogue
    if shape.analysis is not None and shape.catalogue is catalogue:
        return
    text, _, types = shape.key.partition(b"\0")
    shape.analysis = analysis = _analyse(text, types, shared, database, state)
    shape.catalogue = catalogue
    only = analysis.statements[0] if len(analysis.statements) == 1 else None
    is_ours = shared.options.local_ping and ping.is_ping(text)  # to answer: the long way does
    ordinary = only is not None and not is_ours and _is_ordinary(only, analysis, text)
    shape.ordinary = only if ordinary else None
    shape.command = only if only is not None and only.transaction is not None else None
    if shape.template is None:
        shape.template = shared.templates.of(state.current_user, analysis.template)
    if shape.slot is not None:
        shared.memory.retire(shape.slot)
        shape.slot = None
    if catalogue is None or len(analysis.statements) != 1 or analysis.statements[0].reason:
        return
    statement = analysis.statements[0]
    form = _form(catalogue, statement)
    if form != shape.form:
        shape.form = form
    shape.slot = _slot(shared, catalogue, analysis)


def _is_ordinary(only: Statement, analysis: Analysis, text: bytes) -> bool:
    """Is no special case of the session's long way one of this text, of which ``only`` is all?"""
    speaks_of_the_past = ASKS_SEQUENCES.search(text) or SEEDS.search(text)
    return only.is_ordinary and not analysis.unknown_relations and not speaks_of_the_past


def forget_answers(shared: Shared, shapes: Iterable[Shape], catalogue: Catalogue, template: str) -> int:
    """Those of ``shapes`` that are this template in this database give none of their remembered answers any
    more, and none on its way lands; how many answers that were.
    """
    forgotten = 0
    for shape in shapes:
        if shape.catalogue is catalogue and shape.slot is not None:
            analysis = shape.analysis
            if analysis is not None and analysis.template == template:
                forgotten += len(shape.slot.entries)
                shared.memory.retire(shape.slot)
                shape.slot = _slot(shared, catalogue, analysis)
    return forgotten


def _slot(shared: Shared, catalogue: Catalogue, analysis: Analysis) -> Slot:
    """A place for the answers of a text that holds one statement, which may be remembered."""
    database = catalogue.database
    reads = rows.reads(analysis.statements[0])
    return shared.memory.slot(database, reads, shared.pace(database, analysis.template))


def _form(catalogue: Catalogue, statement: Statement) -> Form:
    relations = (catalogue.relations[oid] for oid in statement.mentions)
    columns = ((r.oid, tuple((c.number, c.name, c.type_oid, c.typmod) for c in r.columns)) for r in relations)
    # A type that was dropped and made again is another one of the same name.
    return frozenset((*columns, *((oid, ()) for oid in statement.types)))


def _analyse(text: bytes, types: bytes, shared: Shared, database: Database, state: State) -> Analysis:
    search_path, user = state.value("search_path"), state.current_user
    decoded = _decoded(text, search_path + user, state)
    if decoded is None:
        return UNREADABLE
    catalogue = database.catalogue
    if catalogue is None:
        return analyse.analyse_without_catalogue(decoded)
    if catalogue.may_be_misread(decoded + search_path + user):
        return UNREADABLE
    context = analyse.Context(
        path=names.effective_path(search_path, user), user=user, never_cache=shared.options.never_cache
    )
    oids = tuple(int.from_bytes(types[at : at + 4], "big") for at in range(0, len(types), 4))
    return analyse.analyse(decoded, catalogue, context, oids)


def _decoded(text: bytes, surroundings: str, state: State) -> str | None:
    """The text as pglast would read it, None where it or the names around it came in another encoding."""
    if state.value("standard_conforming_strings") == "off":
        return None
    if state.value("client_encoding").upper() != "UTF8" and not (text.isascii() and surroundings.isascii()):
        return None
    try:
        surroundings.encode()
        return text.decode()
    except UnicodeError:
        return None
