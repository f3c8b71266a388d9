"""How a client proves who it is, and with what we then log in to the origin as the same user."""

from __future__ import annotations

from dataclasses import dataclass, field

from proxy.wire.passwords import ScramKeys, ScramSecret


@dataclass(frozen=True, slots=True)
class PasswordKnown:
    """The password itself is in our configuration. ``secret`` is derived from it once, to verify clients."""

    password: str = field(repr=False)
    secret: ScramSecret


@dataclass(frozen=True, slots=True)
class ScramStored:
    """What the origin stores of the role's password: verifies a client, and cannot log in by itself."""

    secret: ScramSecret


@dataclass(frozen=True, slots=True)
class Md5Stored:
    """The older form that the origin stores; it is as good as the password."""

    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Trusted:
    """The origin asks this user for nothing (and we hear its clients on a loopback address only)."""


Credential = PasswordKnown | ScramStored | Md5Stored | Trusted


@dataclass(frozen=True, slots=True)
class RecoveredKeys:
    """A client's keys, recovered from its proof:
    good for exactly the secret that they were proven against.
    """

    keys: ScramKeys
    secret: ScramSecret


# With what we log in to the origin.
LoginKey = PasswordKnown | RecoveredKeys | Md5Stored | Trusted
