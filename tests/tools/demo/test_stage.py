"""stage: the app's port is demanded, and addresses move to where the relay and the proxy are."""

from __future__ import annotations

import socket

import pytest

from tools.demo.errors import Misused
from tools.demo.stage import demand_free, moved


def test_a_taken_port_is_refused_with_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Misused, match=rf"port {port} cannot be had .* make demo PORT="):
            demand_free(port)
    demand_free(port)


def test_an_address_moves_to_another_port_and_keeps_the_rest() -> None:
    assert (
        moved("postgresql://a:b%40c@127.0.0.1:5432/d?e=f", 15432)
        == "postgresql://a:b%40c@127.0.0.1:15432/d?e=f"
    )
