"""Any text gets an analysis: an answer or a denial, never an exception, and never a proof without a table."""

# ruff: noqa: E501, SIM905 - statements stand as they are sent
from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.schema.catalogue import Catalogue
from proxy.sql.analyse import Context, analyse, analyse_without_catalogue
from proxy.sql.analysis import Analysis, Doubt, Extent
from proxy.sql.reasons import REASONS

_EMPTY = Catalogue(0, 160000, "", {}, {}, {}, {}, {}, {}, {}, {}, {}, {})
_WORDS = st.sampled_from(
    """SELECT FROM WHERE AND OR NOT ( ) , . ; * = < + - :: [ ] id name planets moons $1 $2 1 2.5 'now' 'a' NULL
    JOIN ON USING LATERAL UNION ALL VALUES WITH RECURSIVE AS GROUP BY ORDER LIMIT OFFSET HAVING DISTINCT CASE WHEN
    THEN ELSE END IN EXISTS ANY ARRAY ROW CAST date text int now count lower INSERT INTO UPDATE SET DELETE RETURNING
    DEFAULT MERGE COPY TO STDOUT TRUNCATE BEGIN COMMIT ROLLBACK SAVEPOINT PREPARE EXECUTE DECLARE CURSOR FOR FETCH
    CREATE TABLE INDEX VIEW TEMP DROP ALTER GRANT ROLE RESET DISCARD EXPLAIN ANALYZE VACUUM OVER PARTITION FILTER
    BETWEEN LIKE IS COLLATE "C" XMLELEMENT JSON_OBJECT CURRENT_DATE set_config""".split()
)


def _holds(analysis: Analysis) -> None:
    for statement in analysis.statements:
        assert statement.reason == "" or statement.reason in REASONS
        assert statement.reach.proven or Doubt() in statement.state
        if not statement.reason:
            assert statement.reads
            assert statement.reach.extent == Extent.NOTHING


@settings(deadline=None)
@given(st.lists(_WORDS, max_size=25).map(" ".join))
def test_any_words_in_any_order_get_an_analysis(text: str) -> None:
    _holds(analyse(text, _EMPTY, Context(path=("pg_catalog", "public"))))
    _holds(analyse_without_catalogue(text))


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_gets_an_analysis(text: str) -> None:
    _holds(analyse(text, _EMPTY, Context(path=("pg_catalog", "public"))))
