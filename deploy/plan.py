"""What button and addresses need of a manifest: its public service, and the cache that it stands behind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.document import Spot, read
from proxy.errors import ConfigurationError

MANIFEST: Final = Path("koyeb.yaml")
# How a service reaches another one of its app in its own region.
# Source: Koyeb docs, reference/service-mesh-and-discovery.
_PRIVATE_DOMAIN: Final = "{service}.{app}.internal"


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """An HTTP check of the public port; times in seconds."""

    path: str
    method: str
    grace_period: int
    interval: int
    restart_limit: int
    timeout: int


@dataclass(frozen=True, slots=True)
class Plan:
    """``port`` is served at ``path``; ``cache_host`` and ``cache_port`` are reached inside the mesh."""

    app: str
    branch: str
    dockerfile: str
    regions: tuple[str, ...]
    instance_type: str
    scale: tuple[int, int]
    port: int
    protocol: str
    path: str
    check: HealthCheck
    settings: tuple[tuple[str, str], ...]
    cache_host: str
    cache_port: int


def load(manifest: Path = MANIFEST) -> Plan:
    """Read the plan. ConfigurationError: the file cannot be read, or holds no such pair of services."""
    try:
        document = read(manifest.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigurationError(
            f"{manifest} cannot be read: {reason} (run this where it lies, or name it by --manifest)"
        ) from None
    for mistake in document.mistakes:
        raise ConfigurationError(f"{manifest}:{mistake}")
    try:
        return _plan(document.root)
    except (StopIteration, ValueError):
        raise ConfigurationError(
            f"{manifest} lacks what the button is made of: run make deploy-check to see what is wrong"
        ) from None


def _plan(root: Spot) -> Plan:
    services = [service["definition"] for service in root["services"]]
    web = next(service for service in services if service["routes"])
    cache = next(service for service in services if not service["routes"])
    route, port = next(iter(web["routes"])), next(iter(web["ports"]))
    scaling = next(iter(web["scalings"]))
    app = _text(root["app"]["name"])
    return Plan(
        app=app,
        branch=_text(web["git"]["branch"]),
        dockerfile=_text(web["git"]["docker"]["dockerfile"]),
        regions=tuple(_text(region) for region in web["regions"]),
        instance_type=_text(next(iter(web["instance_types"]))["type"]),
        scale=(_number(scaling["min"]), _number(scaling["max"])),
        port=_number(port["port"]),
        protocol=_text(port["protocol"]),
        path=_text(route["path"]),
        check=_check(next(iter(web["health_checks"]))),
        settings=tuple(_shared_settings(cache)),
        cache_host=_PRIVATE_DOMAIN.format(service=_text(cache["name"]), app=app),
        cache_port=_number(next(iter(cache["ports"]))["port"]),
    )


def _check(check: Spot) -> HealthCheck:
    numbers = (_number(check[name]) for name in ("grace_period", "interval", "restart_limit", "timeout"))
    return HealthCheck(_text(check["http"]["path"]), _text(check["http"]["method"]), *numbers)


def _shared_settings(cache: Spot) -> Iterator[tuple[str, str]]:
    """How fresh the cache is: that holds for a bundled proxy as well; where it listens does not."""
    for variable in cache["env"]:
        if variable["key"].text in ("ORRERY_FRESHNESS", "ORRERY_TTL_CAP"):
            yield variable["key"].text, _text(variable["value"])


def _text(spot: Spot) -> str:
    if not spot.text:
        raise ValueError
    return spot.text


def _number(spot: Spot) -> int:
    if spot.number is None:
        raise ValueError
    return spot.number
