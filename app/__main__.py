"""``python -m app``: serve on all interfaces at ``PORT``."""

from __future__ import annotations

import uvicorn

from app.settings import read_settings


def main() -> None:
    """Serve until SIGTERM or Ctrl-C."""
    # A container's address is not known before: who may reach it is the platform's decision.
    uvicorn.run("app.main:app", host="0.0.0.0", port=read_settings().port)  # noqa: S104


if __name__ == "__main__":
    main()
