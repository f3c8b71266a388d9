"""session.naming: what clients share of a prepared statement's name, and whose columns it was told."""

from __future__ import annotations

from proxy.session import naming, probe
from proxy.session.shared import SessionOptions
from proxy.session.standing import Standing
from proxy.session.statements import UNKNOWN_SCOPE, Prepared
from proxy.sql.analysis import Statement
from proxy.wire import frontend
from tests.proxy.session import sky
from tests.proxy.session.world import READ, SYNC, Conversation, World, learnt, rerun, run


def prepared(client: Conversation, name: bytes = b"s", text: bytes = READ) -> Prepared:
    """As the session keeps it after a Parse under its present settings."""
    outlook = client.session.outlook
    return Prepared(name, text, b"", outlook.scope, outlook.understood(text + b"\0"), None)


def sharing() -> Conversation:
    return World(SessionOptions(sharing=True)).client()


def test_what_means_the_same_has_one_name_for_all_clients() -> None:
    world = World(SessionOptions(sharing=True))
    one, two = world.client(), world.client()
    name = naming.name_of(one.session, prepared(one))
    assert name is not None
    assert name is naming.name_of(two.session, prepared(two, b"other"))
    elsewhere = world.client(search_path="elsewhere")
    assert name is not naming.name_of(elsewhere.session, prepared(elsewhere))


def test_the_client_s_own_name_holds_where_others_could_notice() -> None:
    assert naming.name_of(World().client().session, prepared(World().client())) is None
    client = sharing()
    client.session.statements.sql_named["s"] = Statement("select")
    assert naming.name_of(client.session, prepared(client)) is None
    assert naming.name_of(client.session, prepared(client, b"t")) is not None
    client.session.state.unproven = True
    assert naming.name_of(client.session, prepared(client, b"t")) is None


def test_a_parse_under_uncertain_settings_means_what_nothing_else_does() -> None:
    client = sharing()
    one = prepared(client)
    one.virtual = naming.name_of(client.session, one)
    naming.parsed(client.session, one, certain=True)
    assert one.scope == client.session.outlook.scope
    naming.parsed(client.session, one, certain=False)
    assert one.scope == UNKNOWN_SCOPE


def test_a_name_goes_to_other_columns_if_those_moved_before_its_parse_was_sent() -> None:
    client = sharing()
    one = prepared(client)
    one.virtual = before = naming.name_of(client.session, one)
    assert one.shape is not None
    one.shape.form = frozenset({(1, ((1, "more", 25, -1),))})
    naming.parsed(client.session, one, certain=True)
    assert one.virtual is not before


def test_parameters_may_have_other_types_at_a_connection_that_was_told_before_columns_moved() -> None:
    client = sharing()
    one = prepared(client, text=b"UPDATE planet SET name = 'x' WHERE id = $1")
    assert naming.has_present_types(client.session, one)
    one.virtual = naming.name_of(client.session, one)
    assert one.virtual is not None
    client.session.uplink.tenancy.standing = standing = Standing(probe.Learnt(learnt()), {}, 3)
    assert naming.has_present_types(client.session, one)
    standing.prepared(one.virtual)
    assert naming.has_present_types(client.session, one)
    client.session.database.columns_moved(None, sky.catalogue())
    assert not naming.has_present_types(client.session, one)


def test_a_statement_that_was_told_other_columns_is_refused_in_postgresql_s_words() -> None:
    world = World()
    world.client().ask(run(READ), SYNC)
    client = world.client()
    client.ask(run(READ, b"s"), SYNC)
    assert client.heard() == []
    known = client.session.statements.named[b"s"]
    assert known.shape is not None
    known.form = frozenset({(1, ())})
    client.attach()
    told = client.ask(frontend.parse(b"", b"SELECT 1, mystery()"), rerun(b""), rerun(b"s"), SYNC)
    assert told == "E:0A000 Z:I"
