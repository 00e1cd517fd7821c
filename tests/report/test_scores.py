"""Lines of a scored book: what is lost already stands apart from what may be."""

from __future__ import annotations

import pandas as pd

from tenure.core.records.promotion import ScoreRecord
from tenure.report.scores import score_lines
from tenure.score.totals import money_totals

ROWS = pd.DataFrame(
    {
        "account_id": ["a", "b", "c", "d"],
        "currency": ["USD", "USD", "EUR", None],
        "mrr": [100.0, 40.0, 10.0, 5.0],
        "mrr_at_risk": [20.0, None, 1.0, None],
        "abstain_reason": [None, "notice_given", None, "too_new"],
    }
)


def test_a_known_loss_is_no_part_of_the_money_at_risk() -> None:
    totals = {total.currency: total for total in money_totals(ROWS)}
    assert list(totals) == ["EUR", "USD", None]
    dollars = totals["USD"]
    assert (dollars.accounts, dollars.mrr, dollars.mrr_at_risk) == (2, 140.0, 20.0)
    assert (dollars.notice_accounts, dollars.notice_mrr) == (1, 40.0)
    assert (totals["EUR"].notice_accounts, totals["EUR"].notice_mrr) == (0, 0.0)
    assert (totals[None].mrr_at_risk, totals[None].notice_accounts) == (0.0, 0)


def test_the_lines_say_what_was_lost_and_what_to_know() -> None:
    record = ScoreRecord(
        rows=4,
        accounts=4,
        as_of="2024-03-01",
        out="scores.csv",
        abstained=2,
        models={"churn": "v1"},
        money=money_totals(ROWS),
        warnings=("churn: the model learnt later",),
    )
    assert score_lines(record) == [
        "4 accounts scored as of 2024-03-01: scores.csv",
        "MRR at risk: 1 EUR of 10",
        "MRR at risk: 20 USD of 140",
        "known loss, not in it: 40 USD of 1 account that gave notice",
        "MRR at risk: 0 of 5",
        "warning: churn: the model learnt later",
    ]
