"""The state of a proof only ever gets worse."""

from __future__ import annotations

from pglast import ast

from proxy.sql.proof import oids
from proxy.sql.proof.knowledge import Knowledge
from proxy.sql.proof.proof import Context, Proof
from tests.proxy.sql.observatory import Observatory


def _proof(sky: Observatory, types: tuple[int, ...] = ()) -> Proof:
    return Proof(Knowledge(sky.catalogue), Context(path=()), types)


def test_the_first_reason_is_the_one_told(sky: Observatory) -> None:
    proof = _proof(sky)
    proof.deny("time")
    proof.deny_unseen("function")
    assert (proof.reason, proof.pure) == ("time", False)


def test_what_was_never_settled_counts_as_a_date(sky: Observatory) -> None:
    proof = _proof(sky)
    word, parameter, other = ast.A_Const(), ast.ParamRef(), ast.ParamRef()
    proof.await_target(word, 0)
    proof.await_target(parameter, 3)
    proof.await_target(other, 1)
    proof.settle(other, oids.TEXT)
    proof.settle(parameter, oids.TIMESTAMP)
    proof.settle(parameter, oids.UNKNOWN)
    proof.finish()
    assert proof.date_parameters() == (3,)
    assert proof.reason == "date"


def test_a_parameter_without_a_type_is_unknown(sky: Observatory) -> None:
    proof = _proof(sky, (0, oids.INT4))
    assert [proof.type_of_parameter(n) for n in (0, 1, 2, 3)] == [705, 705, oids.INT4, 705]
