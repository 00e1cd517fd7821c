"""Scores for a notebook: the rows, what stands behind them, and charts of both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tenure.core.errors import ConfigError, DataError, ModelError, Problem, suggestion
from tenure.core.flat_row import prefix_of
from tenure.core.progress import SILENT, Progress
from tenure.explain.contributions import explanation
from tenure.explain.portfolio import effect
from tenure.explain.signals import signals, summed
from tenure.explain.summary import summarise
from tenure.explain.wording import fact, label, signal_label, uncapital
from tenure.labels.targets import TARGETS
from tenure.report.sentences.formatting import counted, percent
from tenure.run.prepare import loaded
from tenure.run.results import as_html
from tenure.score.score import load_models, score
from tenure.score.scored import Scored
from tenure.score.totals import money_totals

if TYPE_CHECKING:
    from datetime import datetime

    from tenure.core.config import Config
    from tenure.explain.contributions import Explanation
    from tenure.report.charts.look import Picture

SHOWN = (
    *("account_id", "name", "segment", "owner", "mrr", "renews_at", "churn_probability"),
    *("risk_band", "mrr_at_risk", "driver_1_label", "driver_2_label", "driver_3_label"),
)


@dataclass(frozen=True, repr=False)
class Scores:
    """What `Project.score` came to.

    `target` may be left out everywhere: it is then ``churn``, or the first target there is.

    Attributes:
        scored: Rows, features, models and contributions of all horizons.
    """

    scored: Scored

    @property
    def rows(self) -> pd.DataFrame:
        """Flat rows, one per account and horizon; those of the main horizon first."""
        return self.scored.rows

    @property
    def X(self) -> pd.DataFrame:
        """Features of the accounts, indexed by account_id."""
        return self.scored.matrix.values.set_index(self._accounts)

    @property
    def shap(self) -> Explanation:
        """Contributions to the scores of the main target as a `shap.Explanation`."""
        return self.shap_of(self.target)

    @property
    def summary(self) -> pd.DataFrame:
        """What moves the scores of the main target, grouped by what features are about."""
        return self.summary_of(self.target)

    @property
    def target(self) -> str:
        """The main target."""
        models = self.scored.models
        return "churn" if "churn" in models else next(iter(models))

    def shap_of(self, target: str) -> Explanation:
        """Return the contributions to a target's scores, in log-odds, one row per account."""
        name = self._known(target)
        model, contributions = self.scored.models[name].main, self.scored.main(name).values
        return explanation(model, self.scored.values(name), contributions)

    def summary_of(self, target: str) -> pd.DataFrame:
        """Return what moves a target's scores, strongest first."""
        name = self._known(target)
        contributions, values = self.scored.main(name).values, self.scored.values(name)
        return summarise(contributions[:, :-1], values, self.scored.models[name].specs)

    def top(self, n: int = 10) -> pd.DataFrame:
        """Return the accounts with the highest probability of the main target, in few columns."""
        chance = f"{self.target}_probability"
        main = self.rows.iloc[: len(self._accounts)].nlargest(n, chance)
        shown = [*SHOWN, *([] if chance in SHOWN else [chance])]
        return main[[name for name in shown if name in main]].set_index("account_id")

    def plot_drivers(self, account: str, target: str | None = None, *, most: int = 10) -> Picture:
        """Draw what moves one account's score at the main horizon.

        Args:
            account: Its id.
            target: Which score.
            most: Signals that are named; the others are one bar.
        """
        from tenure.report.charts.accounts import contribution_chart
        from tenure.report.charts.look import picture

        name = self._known(target)
        place, row = self._row(account)
        model, values = self.scored.models[name], self.scored.values(name)
        columns = self.scored.main(name).values[place, :-1]
        places = list(signals(list(values.columns), model.specs).values())
        amounts = summed(columns[None], places)[0]
        order = np.argsort(-np.abs(amounts), kind="stable")
        named = [index for index in order[:most] if amounts[index]]
        drivers: list[tuple[str, str, str, float]] = []
        for index in named:
            amount = float(amounts[index])
            telling = max(places[index], key=lambda column: amount * columns[column])
            spec = model.specs[values.columns[telling]]
            raw: Any = values.iat[place, telling]
            value = f": {uncapital(fact(spec, None if pd.isna(raw) else raw))}"
            drivers.append(
                (signal_label(spec), value, "raises" if amount > 0 else "lowers", amount)
            )
        rest = counted(len(amounts) - len(named), "other signal")
        amount = float(amounts.sum() - amounts[named].sum())
        drivers.append((rest, "", "all others", amount))
        chance, horizon = row[f"{name}_probability"], row["horizon_days"]
        base = row[f"{prefix_of(name)}base_rate"]
        event = TARGETS[name].event
        title = f"{account}: probability of {event} within {horizon} days {percent(chance)}"
        note = f"Base rate {percent(base)}; associated with the outcome, not its cause"
        names = ("label", "value", "kind", "contribution")
        rows = [dict(zip(names, driver, strict=True)) for driver in drivers]
        return picture(contribution_chart(rows, title, note))

    def plot_bands(self) -> Picture:
        """Draw how many accounts, and how much MRR at risk, each risk band holds.

        Raises:
            ConfigError: If nothing says who churns.
        """
        from tenure.report.charts.accounts import band_chart
        from tenure.report.charts.look import picture

        self._known("churn")
        main = self.rows.iloc[: len(self._accounts)]
        bands = main.groupby("risk_band", observed=True)
        table = bands.agg(accounts=("account_id", "size"), mrr_at_risk=("mrr_at_risk", "sum"))
        rows = _records(table.rename_axis("band").reset_index())
        high = int(table["accounts"].get("high", 0))
        title = f"{counted(high, 'account')} of {len(main):,} in the band high"
        money = money_totals(main)
        if gone := sum(total.notice_accounts for total in money):
            lost = f"{sum(total.notice_mrr for total in money):,.0f} MRR"
            title += f"; {gone:,} gave notice, {lost} lost apart from it"
        return picture(band_chart(rows, title))

    def plot_summary(self, target: str | None = None, *, most: int = 10) -> Picture:
        """Draw what moves the scores of all accounts, strongest first."""
        from tenure.report.charts.look import picture
        from tenure.report.charts.target import driver_chart

        name = self._known(target)
        rows = _records(self.summary_of(name).head(most))
        title = f"What moves the scores of {len(self._accounts):,} accounts: {name}"
        return picture(driver_chart(rows, title))

    def plot_effect(self, feature: str, target: str | None = None) -> Picture:
        """Draw how the values of a feature move the scores.

        Args:
            feature: A column of `X` that the target's model reads.
            target: Which score.
        """
        from tenure.report.charts.accounts import effect_chart
        from tenure.report.charts.look import picture

        name = self._known(target)
        values = self.scored.values(name)
        if feature not in values:
            fix = suggestion(feature, values.columns)
            raise ConfigError(Problem("feature", f"is not read by the {name} model", feature, fix))
        amounts = self.scored.main(name).values[:, values.columns.get_loc(feature)]
        spec = self.scored.models[name].specs[feature]
        title = f"How {feature} moves the scores: {name}"
        return picture(effect_chart(effect(values[feature], amounts), title, label(spec)))

    @property
    def _accounts(self) -> pd.Series[str]:
        return self.scored.matrix.rows["account_id"]

    def _known(self, target: str | None) -> str:
        name = self.target if target is None else target
        if name not in self.scored.models:
            fix = suggestion(name, self.scored.models)
            raise ConfigError(Problem("target", "has no champion", name, fix))
        return name

    def _row(self, account: str) -> tuple[int, pd.Series[Any]]:
        places = np.flatnonzero(self._accounts == account)
        if not len(places):
            fix = suggestion(account, self._accounts)
            raise DataError(Problem("account", "was not scored", account, fix[:200]))
        row = self.rows.iloc[places[0]]
        if row["abstain_reason"] is not None and not pd.isna(row["abstain_reason"]):
            raise DataError(Problem(f"account `{account}`", "has no score", row["abstain_reason"]))
        return int(places[0]), row

    def __repr__(self) -> str:
        """Return how many accounts were scored, and what for."""
        return f"<Scores of {len(self._accounts):,} accounts: {', '.join(self.scored.models)}>"

    def _repr_html_(self) -> str:
        return as_html(self.top())


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


@dataclass(frozen=True)
class Explanations:
    """Why the accounts of a book have their scores.

    Attributes:
        scores: One flat row per account, as `tenure score` writes them.
        summary: What moves the scores of the book, strongest first.
        shap: The same contributions, in log-odds, as a `shap.Explanation`.
    """

    scores: pd.DataFrame
    summary: pd.DataFrame
    shap: Explanation


def run_explanations(
    config: Config,
    target: str = "churn",
    as_of: datetime | None = None,
    progress: Progress = SILENT,
) -> Explanations:
    """Explain a champion's scores of every account, by default when observation stopped.

    The scores do not go into the store.

    Raises:
        ModelError: If the target has no champion.
    """
    models = load_models(config)
    if target not in models:
        fix = suggestion(target, models)
        raise ModelError(Problem(f"target `{target}`", "has no champion", fix=fix))
    with loaded(config, progress) as dataset:
        moment = as_of or dataset.observed_until
        scores = Scores(score(dataset, models, config, moment, progress=progress))
    return Explanations(scores.rows, scores.summary_of(target), scores.shap_of(target))
