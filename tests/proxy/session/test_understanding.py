"""session.understanding: a text is analysed under the names, the encoding and the catalogue of the moment."""

from __future__ import annotations

import pytest

from proxy.session.shapes import Shape
from proxy.session.understanding import forget_answers, understand
from proxy.wire import frontend
from tests.proxy.session import sky
from tests.proxy.session.world import OTHER_READ, READ, World, a_state


def understood(world: World, key: bytes = READ, **values: str) -> Shape:
    shape = Shape(0, {}, key)
    understand(shape, world.shared, world.database, a_state(**values))
    return shape


def reason(shape: Shape) -> str:
    assert shape.analysis is not None
    (statement,) = shape.analysis.statements
    return statement.reason


def test_a_cacheable_text_gets_a_slot_and_a_template() -> None:
    shape = understood(World())
    assert shape.slot is not None
    assert shape.template is not None
    assert shape.template.role == "alice"


def test_a_text_that_may_not_be_remembered_gets_no_slot() -> None:
    assert understood(World(), b"SELECT 1").slot is None


def test_an_analysis_holds_as_long_as_its_catalogue() -> None:
    world = World()
    shape = understood(world)
    before = shape.analysis, shape.slot
    understand(shape, world.shared, world.database, a_state())
    assert (shape.analysis, shape.slot) == before
    world.learn(sky.catalogue(fingerprint="second"))
    understand(shape, world.shared, world.database, a_state())
    assert shape.analysis is not before[0]


def test_without_a_catalogue_nothing_is_proven() -> None:
    world = World()
    world.learn(None)
    shape = understood(world)
    assert shape.slot is None
    assert shape.analysis is not None
    assert not shape.analysis.reach.proven


@pytest.mark.soundness("2.2")
def test_names_are_looked_up_along_the_search_path() -> None:
    assert reason(understood(World(), search_path="other")) == "unresolved"
    assert reason(understood(World(), search_path="other, public")) == ""


@pytest.mark.soundness("3.2")
@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        (READ, {"client_encoding": "LATIN1"}, ""),
        (READ + b" WHERE name = '\xe9'", {"client_encoding": "LATIN1"}, "encoding"),
        (READ + b" WHERE name = '\xe9'", {}, "encoding"),
        (READ + " WHERE name = 'é'".encode(), {}, ""),
        (READ, {"standard_conforming_strings": "off"}, "encoding"),
    ],
)
def test_a_text_that_the_parser_would_misread_is_not_read(
    text: bytes, values: dict[str, str], expected: str
) -> None:
    shape = understood(World(), text, **values)
    assert reason(shape) == expected
    assert shape.analysis is not None
    assert shape.analysis.reach.proven == (expected == "")


@pytest.mark.soundness("3.1")
def test_parameter_types_of_parse_are_part_of_the_meaning() -> None:
    text = b"SELECT name FROM planet WHERE id = $1\0"
    assert reason(understood(World(), text + (23).to_bytes(4, "big"))) == ""
    assert reason(understood(World(), text + (99999).to_bytes(4, "big"))) != ""


def test_a_template_s_answers_are_forgotten_in_all_scopes_and_no_others() -> None:
    world = World()
    client, other = world.client(), world.client(timezone="Asia/Tokyo")
    for asker in (client, other):
        asker.remember(b"SELECT name FROM planet WHERE id = 1")
        asker.remember(READ)
    catalogue = world.database.catalogue
    assert catalogue is not None
    template = "SELECT name FROM planet WHERE id = $1"
    assert forget_answers(world.shared, world.shared.shapes, catalogue, template) == 2
    for asker in (client, other):
        assert not asker.hits(b"SELECT name FROM planet WHERE id = 1")
        assert asker.hits(b"SELECT name FROM planet WHERE id = 1")
        assert asker.hits(READ)


def test_an_answer_on_its_way_does_not_land_once_its_template_is_forgotten() -> None:
    world = World()
    client = world.client()
    client.query(OTHER_READ)
    client.say(frontend.query(READ))
    catalogue = world.database.catalogue
    assert catalogue is not None
    forget_answers(world.shared, world.shared.shapes, catalogue, READ.decode())
    client.settle()
    assert not client.hits(READ)
