"""``python -m app``: serve on all interfaces at ``PORT``; SIGTERM drains, and is an end like any other."""

from __future__ import annotations

import signal
import sys
from contextlib import suppress

from app.main import served
from app.server import DrainingServer
from app.settings import read_settings


def main() -> None:
    """Serve until SIGTERM or Ctrl-C."""
    # uvicorn raises what ended it once more when it is done.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with suppress(KeyboardInterrupt):
        DrainingServer(served(), read_settings().port).run()


if __name__ == "__main__":
    main()
