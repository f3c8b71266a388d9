"""Which format each column of an answer is wanted in, from the end of a Bind.

Source: PostgreSQL docs, protocol-message-formats, "Bind".
"""

from __future__ import annotations


def result_formats(tail: bytes, columns: int) -> list[int]:
    """0 (text) or 1 (binary) for each column of a statement without parameters; ``tail`` b"": all text."""
    if not tail:
        return [0] * columns
    at = 2 + 2 * int.from_bytes(tail[0:2], "big") + 2
    count = int.from_bytes(tail[at : at + 2], "big")
    codes = [int.from_bytes(tail[i : i + 2], "big") for i in range(at + 2, at + 2 + 2 * count, 2)]
    if count == 1:
        return codes * columns
    return codes if count == columns else [0] * columns
