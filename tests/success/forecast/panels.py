"""Books of accounts whose risks and shocks are known, as `with_outcomes` gives them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from tenure.core.records.forecast import PeriodName
from tenure.success.forecast.periods import SETTLED, period_end


@dataclass(frozen=True)
class Panel:
    """What is simulated.

    Attributes:
        months: Books, one a month.
        accounts: Accounts in each.
        shock: Standard deviation of what moves the log-odds of all accounts in a month.
        seed: Seed.
        risk: Mean probability of churn in a month.
    """

    months: int = 36
    accounts: int = 1000
    shock: float = 0.0
    seed: int = 0
    risk: float = 0.06

    def rows(self) -> pd.DataFrame:
        """Return the books, what followed, and the probability that a model gives (`risk`)."""
        rng = np.random.default_rng(self.seed)
        starts = [
            (pd.Timestamp("2020-01-01") + pd.DateOffset(months=number)).to_pydatetime()
            for number in range(self.months)
        ]
        return pd.concat([self._book(start, rng) for start in starts], ignore_index=True)

    def _book(self, start: datetime, rng: np.random.Generator) -> pd.DataFrame:
        size = self.accounts
        odds = np.log(self.risk / (1 - self.risk)) + 0.8 * rng.normal(size=size)
        truth = 1 / (1 + np.exp(-odds - self.shock * rng.normal()))
        mrr = np.exp(rng.normal(5, 0.8, size))
        gone = rng.random(size) < truth
        move = np.where(rng.random(size) < 0.05, rng.uniform(-0.5, 1, size), 0)
        period: PeriodName = "month"
        end = period_end(start, period)
        frame = pd.DataFrame(
            {
                "account_id": [f"a{number:05d}" for number in range(size)],
                "as_of": start,
                "mrr": mrr,
                "currency": "EUR",
                "renews_at": pd.NaT,
                "notice_given": False,
                "ends_at": pd.NaT,
                "period_to": end,
                "own_currency": "EUR",
                "due": rng.random(size) < 0.5,
                "known": False,
                "unit": mrr.mean(),
                "settled_at": end + SETTLED,
                "end_mrr": np.where(gone, 0.0, mrr * (1 + move)),
                "gone": gone,
                "risk": 1 / (1 + np.exp(-odds)),
            }
        )
        return frame.astype({"renews_at": "datetime64[us]", "ends_at": "datetime64[us]"})


def predictions(rows: pd.DataFrame, horizon: int = 30) -> dict[str, dict[int, pd.DataFrame]]:
    """Return what a model of churn says of the rows of a panel."""
    columns = rows[["account_id", "as_of"]].assign(
        probability=rows["risk"],
        label=rows["gone"].astype(float),
        label_known_at=rows["settled_at"],
    )
    return {"churn": {horizon: columns}}
