"""What of the caller's configuration enters a build, and what stays on this machine."""

from __future__ import annotations

from pathlib import Path

from tools.image.caller import AUTHORITY, Caller, elsewhere, local_folders, npm_file, pip_file, pip_options

# No file here may look like one that names an index.
_INDEX = "index-url"


def test_the_environment_wins_over_the_command_and_that_over_all() -> None:
    listed = "\n".join(
        [
            ":env:.default-timeout='180'",
            f"global.{_INDEX}='https://one.example/simple'",
            "global.timeout='5'",
            f"global.extra-{_INDEX}='\\nhttps://two.example/simple\\nfile:///srv/index/simple'",
            f"install.{_INDEX}='https://user:key@three.example/simple'",
            f"download.{_INDEX}='https://four.example/simple'",
        ]
    )
    assert pip_options(listed) == {
        "index-url": "https://user:key@three.example/simple",
        "timeout": "180",
        "extra-index-url": "https://two.example/simple file:///srv/index/simple",
    }


def test_pip_verifies_by_the_authority_only_where_there_is_one() -> None:
    options = {"no-index": "true"}
    assert pip_file(options, with_authority=False) == "[global]\nno-index = true\n"
    assert pip_file(options, with_authority=True) == f"[global]\nno-index = true\ncert = {AUTHORITY}\n"


def test_an_index_is_shown_with_the_files_beside_it_and_wheels_by_themselves(tmp_path: Path) -> None:
    index, wheels = tmp_path / "index" / "simple", tmp_path / "wheels"
    index.mkdir(parents=True)
    wheels.mkdir()
    options = {
        "index-url": index.as_uri(),
        "extra-index-url": "https://one.example/simple",
        "find-links": f"{wheels} {tmp_path / 'nothing-there'}",
    }
    assert local_folders(options) == [index.parent, wheels]


def test_an_engine_that_sees_no_folders_is_told_of_none() -> None:
    options = {
        _INDEX: "https://one.example/simple",
        f"extra-{_INDEX}": "file:///srv/index/simple https://two.example/simple",
        "find-links": "/srv/wheels",
        "timeout": "180",
    }
    assert elsewhere(options) == {
        _INDEX: "https://one.example/simple",
        f"extra-{_INDEX}": "https://two.example/simple",
        "timeout": "180",
    }


def test_npm_keeps_its_registry_and_loses_the_places_of_this_machine() -> None:
    texts = [
        "cafile=/etc/authority.pem\ncache=/var/npm\n",
        "//one.example/:_authToken=${TOKEN}\nfund=false\n",
    ]
    variables = {"TOKEN": "key", "npm_config_registry": "https://one.example/"}
    assert npm_file(texts, variables, with_authority=True).splitlines() == [
        "//one.example/:_authToken=key",
        "fund=false",
        "registry=https://one.example/",
        f"cafile={AUTHORITY}",
    ]
    assert npm_file(["a=${UNSET}"], {}, with_authority=False) == "a=${UNSET}\n"


def test_secrets_are_files_that_nobody_else_can_read(tmp_path: Path) -> None:
    secrets = Caller("[global]\n", "fund=false\n", Path("/etc/authority"), ()).secrets(tmp_path)
    assert set(secrets) == {"pip", "npm", "authority"}
    assert secrets["npm"].read_text() == "fund=false\n"
    assert secrets["pip"].stat().st_mode & 0o077 == 0
    assert "authority" not in Caller("", "", None, ()).secrets(tmp_path)
