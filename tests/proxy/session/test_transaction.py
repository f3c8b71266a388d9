"""session.transaction: whether the memory may answer inside a block."""

from __future__ import annotations

import pytest

from proxy.session.transaction import FAILED, IDLE, OPEN, Transaction
from proxy.sql import analysis
from proxy.sql.analysis import Control, Extent, Lock, Reach, Statement

TABLE = Reach(Extent.TABLES, frozenset((1,)))


def an_open_one(isolation: str = "read committed") -> Transaction:
    transaction = Transaction()
    transaction.begin(isolation)
    return transaction


def test_outside_a_block_nothing_refuses() -> None:
    assert (Transaction().status, Transaction().refusal()) == (IDLE, "")


@pytest.mark.soundness("4.1")
@pytest.mark.parametrize(
    ("isolation", "reason"),
    [
        ("read committed", ""),
        ("read uncommitted", ""),
        ("repeatable read", "isolation"),
        ("serializable", "isolation"),
        ("unknown", "isolation"),
        ("", "isolation"),
    ],
)
def test_only_a_snapshot_for_each_statement_may_be_answered(isolation: str, reason: str) -> None:
    assert an_open_one(isolation).refusal() == reason


@pytest.mark.soundness("4.1")
def test_what_was_written_is_pending_and_refuses() -> None:
    transaction = an_open_one()
    transaction.ran(Statement("update", reach=TABLE))
    transaction.ran(Statement("update", reach=Reach(Extent.TABLES, frozenset((2,)))))
    assert transaction.pending.tables == {1, 2}
    assert transaction.refusal() == "transaction"


@pytest.mark.soundness("4.2")
@pytest.mark.parametrize("lock", [Lock.TRANSACTION, Lock.SESSION])
def test_a_lock_refuses(lock: Lock) -> None:
    transaction = an_open_one()
    transaction.ran(Statement("select", lock=lock))
    assert transaction.refusal() == "locked"


@pytest.mark.soundness("4.1")
def test_a_failed_block_refuses_whatever_it_did() -> None:
    transaction = an_open_one()
    transaction.status = FAILED
    assert transaction.refusal() == "failed"


@pytest.mark.soundness("4.1")
def test_isolation_may_be_set_inside_the_block() -> None:
    transaction = an_open_one()
    command = analysis.Transaction(Control.SET_TRANSACTION, isolation="serializable")
    transaction.ran(Statement("set", transaction=command))
    assert transaction.refusal() == "isolation"


def test_the_end_of_a_block_forgets_it() -> None:
    transaction = an_open_one("serializable")
    transaction.ran(Statement("update", reach=TABLE, lock=Lock.TRANSACTION))
    transaction.end()
    assert (transaction.status, transaction.pending, transaction.refusal()) == (IDLE, analysis.NOTHING, "")
    transaction.begin("read committed")
    assert (transaction.status, transaction.refusal()) == (OPEN, "")


@pytest.mark.parametrize(
    ("verb", "opaque"), [("select", False), ("do", False), ("load", True), ("copy", True)]
)
def test_code_that_may_reach_beyond_the_block_makes_it_opaque(verb: str, opaque: bool) -> None:
    transaction = an_open_one()
    transaction.ran(Statement(verb, reach=analysis.UNKNOWN))
    assert transaction.opaque == opaque
    transaction.end()
    assert not transaction.opaque


def test_a_copy_of_known_reach_does_not() -> None:
    transaction = an_open_one()
    transaction.ran(Statement("copy", reach=TABLE))
    assert not transaction.opaque
