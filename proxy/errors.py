"""Every error this proxy raises, on one page: the type says whose fault, ``sqlstate`` what a client is told.

Source of the codes: PostgreSQL docs, errcodes-appendix, "PostgreSQL Error Codes".
"""

from __future__ import annotations


class OrreryError(Exception):
    """The root. The message is one lower-case sentence without secrets and without parameter values."""

    sqlstate = "XX000"  # internal_error


class ClientFault(OrreryError):
    """The client did what it may not do; the fault ends or refuses that client alone."""

    sqlstate = "08P01"  # protocol_violation


class FrameError(ClientFault):
    """The peer broke the framing; its connection cannot be trusted any more."""


class MalformedMessage(FrameError):
    """A whole message came whose contents cannot be read: PostgreSQL answers it with an error and goes on."""


class MessageTooLarge(ClientFault):
    """A message exceeds ``--max-message-bytes``."""

    sqlstate = "54000"  # program_limit_exceeded


class TooManyNames(ClientFault):
    """A session has more prepared statements or portals than we hold for it."""

    sqlstate = "54000"  # program_limit_exceeded


class UnsupportedFeature(ClientFault):
    """The client asks for what we do not speak: another major version than 3, a SCRAM extension."""

    sqlstate = "0A000"  # feature_not_supported


class AuthenticationFailed(ClientFault):
    """Wrong password or unknown user: the two are never told apart."""

    sqlstate = "28P01"  # invalid_password


class AuthorizationRefused(ClientFault):
    """The login is known and refused for another reason (channel binding, no pg_hba entry, NOLOGIN)."""

    sqlstate = "28000"  # invalid_authorization_specification


class TooManyClients(ClientFault):
    """``--max-clients`` is reached."""

    sqlstate = "53300"  # too_many_connections


class PoolExhausted(OrreryError):
    """Every connection of ``--pool-size`` was in use for longer than ``--pool-wait-seconds``."""

    sqlstate = "53300"  # too_many_connections


class DatabaseReplaced(ClientFault):
    """The database of this session, or its role, is gone and another one has its name: it ends with it."""

    sqlstate = "57P01"  # admin_shutdown


class OriginFault(OrreryError):
    """The origin failed us."""

    sqlstate = "08006"  # connection_failure


class OriginUnreachable(OriginFault):
    """No connection to the origin could be made, or it was lost."""


class CatalogueTooLarge(OriginFault):
    """A database has more relations than the proxy is willing to hold; its reads are not remembered."""

    sqlstate = "54000"  # program_limit_exceeded


class OriginProtocolError(OriginFault):
    """The origin sent what the protocol does not allow."""

    sqlstate = "08P01"


class OriginRefused(OriginFault):
    """The origin answered a login with ErrorResponse; ``fields`` is its body, to be handed on unchanged.

    ``admitted``: it had taken the proof of who logs in before it refused.
    """

    def __init__(self, message: str, fields: bytes, sqlstate: str, *, admitted: bool = False) -> None:
        super().__init__(message)
        self.fields = fields
        self.sqlstate = sqlstate
        self.admitted = admitted


class ConfigurationError(OrreryError):
    """An option, a file or a URL is wrong: one sentence, exit status 2."""

    sqlstate = "F0000"  # config_file_error
