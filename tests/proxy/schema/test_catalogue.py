"""What two catalogues tell of each other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.schema.catalogue import Role
from tests.proxy.session import sky

ALICE = Role(10, "alice", superuser=True, can_login=True, inherits=frozenset((10,)))
BOB = Role(20, "bob", superuser=False, can_login=True, inherits=frozenset((20,)))


def test_a_role_is_gone_when_nobody_or_another_one_has_its_name() -> None:
    before = replace(sky.catalogue(), roles={"alice": ALICE, "bob": BOB})
    assert before.roles_gone(before) == frozenset()
    assert before.roles_gone(replace(before, roles={"alice": ALICE})) == {"bob"}
    made_again = replace(before, roles={"alice": replace(ALICE, oid=30), "bob": BOB})
    assert before.roles_gone(made_again) == {"alice"}


@pytest.mark.soundness("7.1")
def test_a_role_is_regrouped_where_sessions_do_not_notice_by_themselves() -> None:
    before = replace(sky.catalogue(), roles={"alice": ALICE, "bob": BOB}, server_version=160000)
    after = replace(before, roles={"alice": replace(ALICE, inherits=ALICE.inherits | {99}), "bob": BOB})
    assert before.roles_regrouped(before) == frozenset()
    assert before.roles_regrouped(after) == {"alice"}
    assert before.roles_regrouped(replace(after, server_version=180000)) == frozenset()
