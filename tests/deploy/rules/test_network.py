"""How a service is reached: each rule, by a mistake planted into the project's own manifest."""

from __future__ import annotations

import pytest

from tests.deploy.planted import planted, said

CACHE, API = "services[0].definition", "services[1].definition"
PORT = "{port: 5432, protocol: tcp}"
ROUTE = "{path: /, port: 8000}"


def test_a_port_is_declared_once() -> None:
    reason = said(f"- {PORT}", f"- {PORT}\n        - {{port: 5432, protocol: http}}")
    assert reason == f"{CACHE}.ports[1].port: port 5432 is declared twice"


@pytest.mark.parametrize("number", [0, 65_000])
def test_a_port_is_a_number_that_there_is(number: int) -> None:
    found = planted(f"- {PORT}", f"- {PORT}\n        - {{port: {number}, protocol: tcp}}")
    assert [each.partition(": ")[2] for each in found] == [
        f"{CACHE}.ports[1].port: {number} is not from 1 to 64999"
    ]


def test_a_port_names_its_number_and_protocol() -> None:
    found = planted(f"- {PORT}", f"- {PORT}\n        - {{protocol: udp}}")
    assert [each.partition(": ")[2] for each in found] == [
        f"{CACHE}.ports[1].port: the number is missing",
        f"{CACHE}.ports[1].protocol: one of http, http2, tcp is expected",
    ]


def test_a_worker_exposes_no_port() -> None:
    assert said("type: WEB", "type: WORKER") == (
        f"{CACHE}.type: a WORKER exposes no port, not even inside the mesh: say WEB"
    )


def test_a_web_service_has_a_port() -> None:
    found = planted(f"ports:\n        - {PORT}", "ports: []")
    assert any("ports: a WEB service needs a port" in each for each in found)


def test_a_route_leads_to_a_declared_port() -> None:
    assert said(ROUTE, "{path: /, port: 8001}") == (
        f"{API}.routes[0].port: port 8001 is not declared under ports"
    )
    assert said(ROUTE, "{path: /}") == f"{API}.routes[0].port: the port is missing"


def test_no_route_leads_to_tcp() -> None:
    assert said("health_checks:", "routes: [{path: /db, port: 5432}]\n      health_checks:") == (
        f"{CACHE}.routes[0].port: port 5432 speaks tcp: a route leads to http or http2"
    )


@pytest.mark.parametrize("path", ["planets", "/a b", ""])
def test_a_route_has_a_path(path: str) -> None:
    assert said(ROUTE, f'{{path: "{path}", port: 8000}}') == (
        f"{API}.routes[0].path: a path begins with / and holds no space"
    )


def test_a_path_leads_to_one_port() -> None:
    assert said(f"- {ROUTE}", f"- {ROUTE}\n        - {ROUTE}") == (
        f"{API}.routes[1].path: another route has the path / too"
    )
    found = planted(f"- {PORT}", "- {port: 5432, protocol: http}\n      routes: [{path: /, port: 5432}]")
    assert [each.partition(": ")[2] for each in found] == [
        f"{API}.routes[0].path: the service cache has the path / too"
    ]


def test_a_check_asks_a_declared_port() -> None:
    assert said("tcp: {port: 5432}", "tcp: {port: 5433}") == (
        f"{CACHE}.health_checks[0].tcp.port: port 5433 is not declared under ports"
    )


def test_a_check_asks_in_one_way() -> None:
    assert said(", tcp: {port: 5432}", "") == (
        f"{CACHE}.health_checks[0]: exactly one of tcp and http is expected"
    )


def test_http_is_not_asked_of_a_port_that_speaks_tcp() -> None:
    assert said("tcp: {port: 5432}", "http: {port: 5432, path: /}") == (
        f"{CACHE}.health_checks[0].http.port: port 5432 speaks tcp: check it by tcp"
    )
    assert said("path: /health", "path: health", "api") == (
        f"{API}.health_checks[0].http.path: a path begins with / and holds no space"
    )


@pytest.mark.parametrize(
    ("name", "old", "new", "bounds"),
    [
        ("grace_period", 30, 4, "5 to 900"),
        ("interval", 30, 301, "3 to 300"),
        ("restart_limit", 3, 0, "1 to 10"),
        ("timeout", 5, 601, "1 to 600"),
    ],
)
def test_a_check_keeps_the_bounds_of_the_form(name: str, old: int, new: int, bounds: str) -> None:
    assert said(f"{name}: {old}", f"{name}: {new}") == (
        f"{CACHE}.health_checks[0].{name}: {new} is not from {bounds}"
    )
