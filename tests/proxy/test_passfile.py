"""libpq's password file."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.errors import ConfigurationError
from proxy.passfile import password_for


def _written(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def test_the_first_matching_line_wins(tmp_path: Path) -> None:
    file = _written(tmp_path / "pgpass", "# mine\nh:5432:d:other:no\nh:*:*:u:first\n*:*:*:*:second\n")
    assert password_for(file, "h", 5432, "d", "u") == "first"
    assert password_for(file, "elsewhere", 1, "d", "u") == "second"


def test_a_backslash_takes_colons_and_backslashes_as_they_stand(tmp_path: Path) -> None:
    file = _written(tmp_path / "pgpass", "h:1:d:u:a\\:b\\\\c\r\n")
    assert password_for(file, "h", 1, "d", "u") == "a:b\\c"


def test_a_socket_directory_is_found_as_localhost(tmp_path: Path) -> None:
    file = _written(tmp_path / "pgpass", "localhost:*:*:*:pw\n")
    assert password_for(file, "/run/postgresql", 5432, "d", "u") == "pw"


def test_no_file_or_no_line_gives_no_password(tmp_path: Path) -> None:
    assert password_for(tmp_path / "none", "h", 1, "d", "u") is None
    assert password_for(tmp_path, "h", 1, "d", "u") is None
    assert password_for(_written(tmp_path / "pgpass", "h:1:d:short\n\n"), "h", 1, "d", "u") is None


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    file = _written(tmp_path / "pgpass", "*:*:*:*:secret\n", 0o640)
    with pytest.raises(ConfigurationError, match="0600") as raised:
        password_for(file, "h", 1, "d", "u")
    assert "secret" not in str(raised.value)
