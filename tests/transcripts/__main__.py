"""``python -m tests.transcripts --record [NAME ...]``: play transcripts and write down what is said now."""

from __future__ import annotations

import argparse

from tests.transcripts.player import perform, script_of
from tests.transcripts.shelf import SHELF, names, path_of


def main() -> None:
    """Record the transcripts named, or all of them; without ``--record`` list them."""
    parser = argparse.ArgumentParser(prog="python -m tests.transcripts")
    parser.add_argument("--record", nargs="*", metavar="NAME", help="write down again; none named: all")
    asked = parser.parse_args().record
    if asked is None:
        print("\n".join(names()))
        return
    for name in asked or names():
        path = path_of(name)
        path.write_text(perform(script_of(path.read_text())))
        print(f"recorded {path.relative_to(SHELF)}")


if __name__ == "__main__":
    main()
