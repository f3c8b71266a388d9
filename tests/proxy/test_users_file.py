"""The file of further users."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proxy.errors import ConfigurationError
from proxy.users_file import MAX_BYTES, read_users

SCRAM = "SCRAM-SHA-256$4096:c2FsdA==$c3RvcmVk:c2VydmVy"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "users"
    path.touch(0o600)
    return path


def test_both_forms_and_comments_are_read(file: Path) -> None:
    file.write_text(
        f'# ours\n\nann  pass word # not a comment\r\n\tbob\t{SCRAM}\n"c d" "e""f\\g" # so it is\n'
    )
    assert read_users(file) == {"ann": "pass word # not a comment", "bob": SCRAM, "c d": 'e"f\\g'}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("hunter2", "expected a name"),
        ('"ann" ""', "expected a name"),
        ('"" "hunter2"', "expected a name"),
        ('"ann" "hunter2', "quote is missing"),
        ('"ann" hunter2', "quote is missing"),
        ('"hunter2', "quote is missing"),
        ('"ann" "x" hunter2', "nothing after it"),
        ("ann SCRAM-SHA-256$4096:hunter2", "not complete"),
        ("ann SCRAM-SHA-256$many:hunter2$a:b", "not complete"),
        ("ann md5" + "0123456789abcdef" * 2, "md5 secret"),
        ("bob hunter2", "a line already"),
        ("ann hunter2\0", "NUL"),
    ],
)
def test_a_wrong_line_is_named_by_its_number_only(file: Path, line: str, told: str) -> None:
    file.write_text(f"bob x\n{line}\n")
    with pytest.raises(ConfigurationError, match=told) as raised:
        read_users(file)
    assert f"{file} line 2: " in str(raised.value)
    assert "hunter2" not in str(raised.value)
    assert "abcdef" not in str(raised.value)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o700 | 0o001])
def test_a_file_that_others_may_read_is_refused(file: Path, mode: int) -> None:
    file.chmod(mode)
    with pytest.raises(ConfigurationError, match="must be 0600"):
        read_users(file)


def test_a_stricter_mode_is_fine(file: Path) -> None:
    file.write_text("ann x")
    file.chmod(0o400)
    assert read_users(file) == {"ann": "x"}


def test_what_cannot_be_read_is_one_sentence(file: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        read_users(tmp_path / "none")
    with pytest.raises(ConfigurationError, match="directory"):
        read_users(tmp_path)
    file.write_bytes(b"ann \xff")
    with pytest.raises(ConfigurationError, match="UTF-8"):
        read_users(file)
    file.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(ConfigurationError, match="larger than 4 MiB"):
        read_users(file)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_any_file_is_read_or_refused(file: Path, data: bytes) -> None:
    file.write_bytes(data)
    with suppress(ConfigurationError):
        assert all(read_users(file).values())
