"""session.port: the double that the tests of this room use answers all that a session may ask."""

from __future__ import annotations

import inspect

from proxy.session.port import Origin, Port
from tests.doubles.origin import Data, ScriptedOrigin
from tests.doubles.port import RecordingPort


def test_the_doubles_are_a_port_and_an_origin() -> None:
    port: Port = RecordingPort()
    origin: Origin = ScriptedOrigin(Data())
    asked = [name for name in vars(Port) if not name.startswith("_")]
    assert all(callable(getattr(port, name)) for name in asked)
    assert callable(origin.send)


def test_what_a_session_may_ask_never_waits() -> None:
    methods = [method for name, method in vars(Port).items() if inspect.isfunction(method) and name[0] != "_"]
    assert methods
    assert not [method for method in methods if inspect.iscoroutinefunction(method)]
