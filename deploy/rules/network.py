"""How a service is reached: ports, routes, and the checks that say whether it lives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from deploy.catalogue import HEALTH_CHECK, PORT
from deploy.document import Mistake, Spot

PROTOCOLS: Final = ("http", "http2", "tcp")
_NO_PATH: Final = "a path begins with / and holds no space"


def ports_are_distinct(service: Spot) -> Iterator[Mistake]:
    """Each port once, with a number and a protocol that there are."""
    seen: set[int] = set()
    for each in service["ports"]:
        port, protocol = each["port"], each["protocol"]
        if not port:
            yield port.wrong("the number is missing")
        if port.number is not None and not PORT[0] <= port.number <= PORT[1]:
            yield port.wrong(f"{port.number} is not from {PORT[0]} to {PORT[1]}")
        if port.number in seen:
            yield port.wrong(f"port {port.number} is declared twice")
        if port.number is not None:
            seen.add(port.number)
        if protocol.value not in PROTOCOLS and not _mistyped(protocol):
            yield protocol.wrong(f"one of {', '.join(PROTOCOLS)} is expected")


def workers_expose_nothing(service: Spot) -> Iterator[Mistake]:
    """A worker has no ports, not even inside the mesh; a web service has at least one."""
    if service["type"].text == "WORKER" and (service["ports"].value or service["routes"].value):
        yield service["type"].wrong("a WORKER exposes no port, not even inside the mesh: say WEB")
    if service["type"].text == "WEB" and not service["ports"].value:
        yield service["ports"].wrong("a WEB service needs a port")


def routes_lead_to_ports(service: Spot) -> Iterator[Mistake]:
    """Each route names a declared HTTP port, and a path that no other route has."""
    protocols = _protocols(service)
    seen: set[str] = set()
    for route in service["routes"]:
        port, path = route["port"], route["path"]
        yield from _declared(port, protocols)
        if protocols.get(port.number) == "tcp":
            yield port.wrong(f"port {port.number} speaks tcp: a route leads to http or http2")
        if not _is_path(path):
            yield path.wrong(_NO_PATH)
        elif path.text in seen:
            yield path.wrong(f"another route has the path {path.text} too")
        seen.add(path.text)


def routes_of_an_app_are_distinct(root: Spot) -> Iterator[Mistake]:
    """All services of an app share its domain."""
    seen: dict[str, str] = {}
    for service in root["services"]:
        name = service["definition"]["name"].text
        for route in service["definition"]["routes"]:
            path = route["path"]
            other = seen.setdefault(path.text, name)
            if path.text and other != name:
                yield path.wrong(f"the service {other} has the path {path.text} too")


def health_checks_ask_ports(service: Spot) -> Iterator[Mistake]:
    """Each check asks one declared port, in the one way that it answers."""
    protocols = _protocols(service)
    for check in service["health_checks"]:
        ways = [check[name] for name in ("tcp", "http") if check[name]]
        if len(ways) != 1:
            yield check.wrong("exactly one of tcp and http is expected")
        for way in ways:
            yield from _declared(way["port"], protocols)
        http = check["http"]
        if protocols.get(http["port"].number) == "tcp":
            yield http["port"].wrong(f"port {http['port'].number} speaks tcp: check it by tcp")
        if http and not _is_path(http["path"]):
            yield http["path"].wrong(_NO_PATH)


def health_checks_are_bounded(service: Spot) -> Iterator[Mistake]:
    """Times and counts within the bounds of the control panel's form."""
    for check in service["health_checks"]:
        for name, (least, most) in HEALTH_CHECK.items():
            number = check[name].number
            if number is not None and not least <= number <= most:
                yield check[name].wrong(f"{number} is not from {least} to {most}")


def _declared(port: Spot, protocols: dict[int | None, str]) -> Iterator[Mistake]:
    if not port:
        yield port.wrong("the port is missing")
    elif port.number is not None and port.number not in protocols:
        yield port.wrong(f"port {port.number} is not declared under ports")


def _protocols(service: Spot) -> dict[int | None, str]:
    ports = service["ports"]
    return {each["port"].number: each["protocol"].text for each in ports if each["port"].number is not None}


def _is_path(path: Spot) -> bool:
    return _mistyped(path) or (path.text.startswith("/") and " " not in path.text)


def _mistyped(spot: Spot) -> bool:
    """Has the schema spoken of it already?"""
    return bool(spot) and not isinstance(spot.value, str)
