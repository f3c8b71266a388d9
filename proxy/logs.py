"""The log on stderr: one line an event, as text for people or as JSON for a collector."""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import Final, Literal, final

# Libraries' own life cycles are not ours; their warnings are.
_QUIET: Final = ("uvicorn", "asyncio", "asyncpg")


def configure(form: Literal["text", "json"]) -> None:
    """Write INFO and above of our own rooms, and WARNING and above of libraries, to stderr in ``form``."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLine() if form == "json" else _TextLine())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


@final
class _TextLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = f"{_moment(record)} {record.levelname} {record.name} {_one_line(record.getMessage())}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


@final
class _JsonLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        event = {
            "time": _moment(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            event["exception"] = self.formatException(record.exc_info)
        return json.dumps(event, ensure_ascii=False)


def _moment(record: logging.LogRecord) -> str:
    seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    return f"{seconds}.{int(record.msecs):03d}Z"


def _one_line(message: str) -> str:
    """A message may carry text that a client sent: it must not be able to begin a line of its own."""
    return message.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
