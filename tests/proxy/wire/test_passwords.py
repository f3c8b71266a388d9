"""passwords: keys, secrets and hashes are those of libpq."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from psycopg.pq import PGconn

from proxy.errors import OriginProtocolError
from proxy.wire import passwords

SALT = b"0123456789abcdef"


def secret_by_libpq(password: str) -> passwords.ScramSecret:
    # No server listens there: libpq needs a connection's options only.
    connection = PGconn.connect(b"host=127.0.0.1 port=1")
    text = connection.encrypt_password(password.encode(), b"ada", b"scram-sha-256").decode()
    secret = passwords.parse_secret(text)
    assert secret is not None
    return secret


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=6))
@example("I\u00adX")
@example("\u00aa\u2168")
@example("\u00adonly soft")
@example("\u00ad")
@example("\u200b\u0644")
@example("a\u00a0b")
@example("bell\u0007\u00e9")
@example("\u06271")
@example("\u0627\u0031\u0628")
@example("\u0221")
@example("\U0001f600")
def test_any_password_gives_the_secret_that_libpq_makes(password: str) -> None:
    theirs = secret_by_libpq(password)
    assert passwords.make_secret(password, theirs.salt, theirs.iterations) == theirs


@pytest.mark.parametrize(
    ("password", "prepared"),
    [
        ("I\u00adX", "IX"),
        ("user", "user"),
        ("USER", "USER"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("\u00e9\u0007", "\u00e9\u0007"),
        ("\u06271", "\u06271"),
    ],
)
def test_the_examples_of_rfc_4013_are_prepared_as_written_or_taken_as_they_are(
    password: str, prepared: str
) -> None:
    assert passwords.saslprep(password) == prepared


def test_a_secret_is_written_as_postgresql_stores_it() -> None:
    connection = PGconn.connect(b"host=127.0.0.1 port=1")
    text = connection.encrypt_password(b"pencil", b"ada", b"scram-sha-256").decode()
    assert str(passwords.parse_secret(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "password",
        "md5c4ca4238a0b923820dcc509a6f75849b",
        "SCRAM-SHA-256$4096:c2FsdA==$a:b",
        "SCRAM-SHA-256$4096$c2FsdA==",
        "SCRAM-SHA-1$4096:c2FsdA==$" + ":".join(["A" * 43 + "="] * 2),
        "SCRAM-SHA-256$0:c2FsdA==$" + ":".join(["A" * 43 + "="] * 2),
        "SCRAM-SHA-256$x:c2FsdA==$" + ":".join(["A" * 43 + "="] * 2),
        "SCRAM-SHA-256$4096:$" + ":".join(["A" * 43 + "="] * 2),
        "SCRAM-SHA-256$4096:c2FsdA==$" + ":".join(["A" * 43 + "="] * 3),
        "SCRAM-SHA-256$4096:c2FsdA==$" + ":".join(["AAAA"] * 2),
    ],
)
def test_what_is_no_secret_is_not_taken_for_one(text: str) -> None:
    assert passwords.parse_secret(text) is None


def test_a_stored_secret_is_read() -> None:
    assert passwords.parse_secret("SCRAM-SHA-256$4096:c2FsdA==$" + ":".join(["A" * 43 + "="] * 2))


def test_nothing_secret_shows_in_a_repr() -> None:
    keys = passwords.derive_keys("pencil", SALT, 1)
    secret = passwords.make_secret("pencil", SALT, 1)
    assert repr(keys) == "ScramKeys()"
    assert repr(secret) == "ScramSecret(iterations=1)"


def test_more_iterations_than_we_can_afford_are_refused() -> None:
    with pytest.raises(OriginProtocolError, match="1000001 SCRAM iterations"):
        passwords.derive_keys("pencil", SALT, passwords.MAX_ITERATIONS + 1)


def test_an_unknown_user_is_asked_the_same_at_each_attempt_and_another_one_something_else() -> None:
    ada, again, eve = (passwords.mock_secret(user, b"ours") for user in ("ada", "ada", "eve"))
    assert ada == again
    assert ada.salt != eve.salt
    assert ada != passwords.mock_secret("ada", b"another server")
    assert (len(ada.salt), ada.iterations) == (16, 4096)


def test_md5_secret_is_the_one_that_libpq_makes() -> None:
    theirs = PGconn.connect(b"host=127.0.0.1 port=1").encrypt_password(b"pencil", b"ada", b"md5")
    assert passwords.md5_secret("ada", "pencil") == theirs.decode()


def test_md5_response_hashes_the_secret_with_the_salt() -> None:
    digest = passwords.md5_secret("ada", "pencil").removeprefix("md5")
    expected = "md5" + hashlib.md5(digest.encode() + b"salt").hexdigest()
    assert passwords.md5_response("md5" + digest, b"salt") == expected.encode()
