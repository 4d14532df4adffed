"""Rows that break a rule which is not in force: counted before anybody puts it in force."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from cascade.core.layout import RowEvidence, TableName
from cascade.core.rules import Rule, breaking_rows


def read_violations(cursor: Any, rules: Sequence[Rule]) -> Mapping[tuple[TableName, str], RowEvidence]:
    """How many rows break each rule, counted to 10,000, by table and what the rule is about.

    ``cursor`` must be in no transaction. One statement for all; a table that is locked or forbidden does not end the
    rest.
    """
    if not rules:
        return {}
    cursor.execute("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    try:
        cursor.execute(_SETTINGS)
        cursor.execute(
            "SELECT pg_catalog.set_config('cascade.rules', %s, true)", [json.dumps(list(map(_asked, rules)))]
        )
        cursor.execute(_COUNT)
        cursor.execute("SELECT pg_catalog.current_setting('cascade.violations')")
        answers = json.loads(cursor.fetchone()[0])
    finally:
        cursor.execute("ROLLBACK")
    return {
        (rule.table, rule.name): RowEvidence(answer.get("counted"), None, answer.get("problem"))
        for rule, answer in zip(rules, answers, strict=True)
    }


def _asked(rule: Rule) -> dict[str, str]:
    """The query for one rule; its names are quoted there, because the DO block only runs it."""
    rows = f"{breaking_rows(rule)} LIMIT {RowEvidence.COUNT_LIMIT + 1}"
    return {"query": f"SELECT pg_catalog.count(*) FROM ({rows}) AS part"}


_SETTINGS = """
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';
SET LOCAL row_security = off
"""

# The path stays the session's: the columns' own types may have their operators there.
_COUNT = """
DO $$
DECLARE
  rule json;
  number bigint;
  answers jsonb := '[]';
  time_is_up boolean := false;
BEGIN
  FOR rule IN SELECT * FROM pg_catalog.json_array_elements(pg_catalog.current_setting('cascade.rules')::json) LOOP
    IF time_is_up THEN
      answers := answers || '{"problem": "not counted: an earlier rule took all of the time"}'::jsonb;
      CONTINUE;
    END IF;
    BEGIN
      EXECUTE rule ->> 'query' INTO number;
      -- Undone for its locks, as in catalog.sql.
      RAISE SQLSTATE 'CS000';
    EXCEPTION
      WHEN SQLSTATE 'CS000' THEN
        answers := answers || pg_catalog.jsonb_build_object('counted', number);
      -- The time is that of the whole block, and is not measured a second time.
      WHEN query_canceled THEN
        time_is_up := true;
        answers := answers || pg_catalog.jsonb_build_object('problem', SQLERRM);
      -- What PostgreSQL says of data (class 22) holds the value, which nobody has to see.
      WHEN data_exception THEN
        answers := answers || pg_catalog.jsonb_build_object('problem', 'a value does not fit, SQLSTATE ' || SQLSTATE);
      WHEN OTHERS THEN
        answers := answers || pg_catalog.jsonb_build_object('problem', SQLERRM);
    END;
  END LOOP;
  PERFORM pg_catalog.set_config('cascade.violations', answers::text, true);
END $$
"""
