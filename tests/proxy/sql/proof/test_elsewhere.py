"""sql.proof.elsewhere: whose code may have effects that are no part of its transaction."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.schema.catalogue import Catalogue, Function
from proxy.sql.analyse import transactions_tell_all
from proxy.sql.proof.elsewhere import acts_elsewhere
from tests.proxy.session import sky


def having(function: Function) -> Catalogue:
    known = sky.catalogue()
    return replace(known, functions={**known.functions, function.oid: function})


def made(language: str, extension: str | None = None, oid: int = 16600) -> Function:
    return Function(oid, "public", "made", (), 23, "v", "f", language=language, extension=extension)


@pytest.mark.parametrize(
    "function",
    [
        made("sql"),
        made("plpgsql"),
        made("internal"),
        made("c", "pg_stat_statements"),
        made("c", "plpgsql"),
        made("c", oid=13000),
    ],
    ids=lambda f: f"{f.language} of {f.extension}",
)
def test_confined_code_does_not(function: Function) -> None:
    assert not acts_elsewhere(having(function))


@pytest.mark.parametrize(
    "function",
    [made("c"), made("c", "dblink"), made("c", "postgres_fdw"), made("plpython3u"), made("unheard")],
    ids=lambda f: f"{f.language} of {f.extension}",
)
def test_any_other_code_may(function: Function) -> None:
    assert acts_elsewhere(having(function))


def test_foreign_servers_and_untrusted_languages_may() -> None:
    assert acts_elsewhere(replace(sky.catalogue(), foreign_servers=True))
    assert acts_elsewhere(replace(sky.catalogue(), untrusted_languages=True))


def test_transactions_tell_all_only_where_everybody_may_ask_them() -> None:
    assert not transactions_tell_all(sky.catalogue())
    assert transactions_tell_all(replace(sky.catalogue(), id_is_public=True))
    assert not transactions_tell_all(replace(sky.catalogue(), id_is_public=True, foreign_servers=True))
