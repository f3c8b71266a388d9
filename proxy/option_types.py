"""How the text of an option becomes a value: addresses, sizes, switches, patterns.

Each reader raises ValueError with what was expected, never with what was given: it may be a secret.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Annotated, Final, NamedTuple

from pydantic import BeforeValidator
from pydantic_settings import NoDecode

_NUMBER: Final = re.compile("[0-9]{1,18}")
_UNITS: Final = {"": 1, "B": 1, "KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30}


class Address(NamedTuple):
    """Where to listen. ``port`` 0: any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it; a name other than localhost is taken as reachable."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def _address(value: object) -> object:
    host, colon, port = str(value).rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not colon or not host or (":" in host and not bracketed):
        raise ValueError("expected HOST:PORT, an IPv6 address in brackets")
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and int(port) <= 65535):
        raise ValueError("expected a port from 0 to 65535")
    return Address(host[1:-1] if bracketed else host, int(port))


def address_or_off(value: object) -> object:
    """Read HOST:PORT; None for ``off``."""
    return None if value in ("off", None) else _address(value)


def _bytes(value: object) -> object:
    text = str(value).strip()
    number = text.rstrip("BKMGTibkmgt ").strip()
    unit = text[len(number) :].strip().upper()
    if not _NUMBER.fullmatch(number) or unit not in _UNITS:
        raise ValueError("expected a number of bytes, or one with KiB, MiB or GiB")
    return int(number) * _UNITS[unit]


def _switch(value: object) -> object:
    words = {"on": True, "true": True, "1": True, "off": False, "false": False, "0": False}
    if isinstance(value, bool):
        return value
    if str(value).lower() not in words:
        raise ValueError("expected on or off")
    return words[str(value).lower()]


def _patterns(value: object) -> object:
    given = value.split(",") if isinstance(value, str) else value
    if not isinstance(given, (list, tuple)):
        raise ValueError("expected schema.table patterns")
    patterns = tuple(str(pattern).strip() for pattern in given if str(pattern).strip())
    if any(pattern.count(".") != 1 for pattern in patterns):
        raise ValueError("expected schema.table patterns, such as public.session_*")
    return patterns


Bytes = Annotated[int, BeforeValidator(_bytes)]
ListenAddress = Annotated[Address, NoDecode, BeforeValidator(_address)]
OptionalAddress = Annotated[Address | None, NoDecode, BeforeValidator(address_or_off)]
Switch = Annotated[bool, BeforeValidator(_switch)]
Patterns = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_patterns)]
