"""Money of a scored book: what may be lost, and apart from it what is lost already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenure.core.records.promotion import ScoredMoney
from tenure.score.abstain import NOTICE

if TYPE_CHECKING:
    import pandas as pd


def money_totals(rows: pd.DataFrame) -> tuple[ScoredMoney, ...]:
    """Return the MRR of scored accounts in each currency.

    `rows` are flat ones, one per account.

    Returns:
        One total per currency, by its name; accounts without one (or with several) come last.
    """
    totals = []
    for currency, group in rows.groupby("currency", dropna=False, sort=True):
        notice = group["abstain_reason"] == NOTICE
        totals.append(
            ScoredMoney(
                currency=currency if isinstance(currency, str) else None,
                accounts=len(group),
                mrr=float(group["mrr"].sum()),
                mrr_at_risk=float(group["mrr_at_risk"].astype("float64").sum()),
                notice_accounts=int(notice.sum()),
                notice_mrr=float(group.loc[notice, "mrr"].sum()),
            )
        )
    return tuple(totals)
