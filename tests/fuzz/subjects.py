"""All that is fuzzed in one process, each with its share of the inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.fuzz.dialogues import ClientLogin, OriginEnd
from tests.fuzz.http import AdminRequests
from tests.fuzz.readers import Readers, SqlTexts
from tests.fuzz.sessions import HostileClient, HostileOrigin

if TYPE_CHECKING:
    from tests.fuzz.subject import Subject

SUBJECTS: Final[list[tuple[int, Subject]]] = [
    (20, HostileClient()),
    (20, HostileOrigin()),
    (10, ClientLogin()),
    (10, OriginEnd()),
    (10, SqlTexts()),
    (29, Readers()),
    (1, AdminRequests()),
]
