"""rows: the parameters that a row change waits for."""

from __future__ import annotations

from proxy.sql.rows import Parameter, RowChange

FIRST, SECOND = Parameter(1, 23), Parameter(2, 23)


def test_a_row_change_names_the_parameters_it_waits_for() -> None:
    change = RowChange(10, None, ((1, (FIRST, 7, None)), (2, (SECOND, FIRST)), (3, (b"x",))))
    assert change.parameters() == {FIRST, SECOND}
