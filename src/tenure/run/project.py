"""A config with its runs as methods: the way into Tenure from a notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from tenure.core.authored import merged
from tenure.core.config import make_config, refuse_passwords
from tenure.core.errors import ConfigError, Problem
from tenure.core.files import write_table
from tenure.core.progress import Progress, auto
from tenure.core.times import as_utc
from tenure.features.plan.config_checks import checked, load_config

if TYPE_CHECKING:
    import pandas as pd

    from tenure.core.config import Config
    from tenure.core.records.account import AccountRecord
    from tenure.core.records.explain import BookChange, Portfolio, WhatIf
    from tenure.core.records.scorecards import HealthMap
    from tenure.run.results import AccountReasons, Backtest, Checked, Training
    from tenure.run.scores import Scores
    from tenure.run.training_set import TrainingSet

Moment = str | date | datetime


class Project:
    """A config, and what can be done with it.

    >>> project = Project({"data": {"path": "exports"}, "targets": ["churn"]})
    >>> project.config.labels.horizon_days
    90
    >>> Project({"data": {"path": "exports"}}, labels={"horizon_days": 30}).config.labels.gap_days
    0

    A table may be a frame, or a list of rows; it is read by the same rules as a file:

    >>> accounts = [{"account_id": 1, "created_at": "2024-01-01"}]
    >>> subscriptions = [{"account_id": 1, "started_at": "2024-01-03", "mrr": 50}]
    >>> Project(tables={"accounts": accounts, "subscriptions": subscriptions})
    <Project tenure: churn, expansion>

    Args:
        config: A YAML file, or a mapping as it would stand in one; may be left out where `tables`
            holds all tables.
        tables: Canonical name → a pandas, Polars or Arrow table, or a list of rows as mappings, in
            place of the file in the config, whose `columns` and `formats` hold for it.
        base: Folder that relative paths of a mapping refer to; the current directory by default.
        progress: What shows how far work has come; by default a live line in a notebook, a bar in
            a terminal, and nothing elsewhere.
        changes: Sections that are put into the config: mappings are merged, all else is replaced.

    Attributes:
        config: The resolved config.

    Raises:
        ConfigError: If the config breaks a rule; lists every problem.
    """

    def __init__(
        self,
        config: str | Path | Mapping[str, Any] = MappingProxyType({}),
        *,
        tables: Mapping[str, Any] | None = None,
        base: str | Path | None = None,
        progress: Progress | None = None,
        **changes: Any,
    ) -> None:
        if tables:
            frames = {name: {"frame": frame} for name, frame in tables.items()}
            changes = merged(changes, {"data": {"tables": frames}})
        if isinstance(config, Mapping):
            authored = merged(config, changes)
            refuse_passwords(authored)
            self.config: Config = checked(make_config(authored, base=Path(base or ".")))
        else:
            self.config = load_config(config, changes)
        self._shown = progress

    def check(self) -> Checked:
        """Load the tables, report on them, and audit the features; see `run_check`."""
        from tenure.run.check import run_check
        from tenure.run.results import Checked

        with self._progress() as progress:
            return Checked(run_check(self.config, progress))

    def train(self, *, replace: str | None = None) -> Training:
        """Fit, test, track, register and export a model of every target; see `run_train`.

        Args:
            replace: Why usable models take the place of standing champions without a comparison.
        """
        from tenure.run.results import Training
        from tenure.run.train import run_train

        with self._progress() as progress:
            record = run_train(self.config, progress, replace=replace)
            return Training(record.targets, record)

    def backtest(self, out: str | Path | None = None) -> Backtest:
        """Return what would have been predicted at past prediction times, and what happened.

        Args:
            out: Where the predictions are also written, .csv or .parquet.
        """
        from tenure.run.backtest import backtest

        with self._progress() as progress:
            tested = backtest(self.config, progress)
        if out is not None:
            write_table(tested.predictions, Path(out))
        return tested

    def score(self, as_of: Moment | None = None, *, out: str | Path | None = None) -> Scores:
        """Score every account with the champions; the rows are kept, see `run_score`.

        Args:
            as_of: Prediction time; when observation stopped by default.
            out: Where the rows are also written, .csv or .parquet.
        """
        from tenure.run.score import score_book
        from tenure.run.scores import Scores

        with self._progress() as progress:
            scored = score_book(self.config, _time(as_of), progress)
        if out is not None:
            write_table(scored.rows, Path(out))
        return Scores(scored)

    def explain(
        self,
        account: str,
        as_of: Moment | None = None,
        *,
        since: Moment | None = None,
        evidence: int = 0,
    ) -> AccountReasons:
        """Return why one account has its scores, by default when observation stopped.

        Args:
            account: Its id.
            as_of: Prediction time.
            since: Compare with the latest kept run at or before this time.
            evidence: Source rows of each table that are listed behind a driver.
        """
        from tenure.run.explain import ExplainWish, run_explain
        from tenure.run.results import AccountReasons

        with self._progress() as progress:
            wish = ExplainWish(_time(since), evidence)
            return AccountReasons(run_explain(self.config, account, _time(as_of), progress, wish))

    def what_if(
        self,
        account: str,
        edits: Mapping[str, float],
        target: str = "churn",
        as_of: Moment | None = None,
    ) -> WhatIf:
        """Return the score of an account with other values of levers: an association, no effect.

        Args:
            account: Its id.
            edits: Feature → value, within the range of the training past.
            target: What is predicted.
            as_of: Prediction time; when observation stopped by default.
        """
        from tenure.run.explain import run_what_if

        with self._progress() as progress:
            return run_what_if(self.config, account, edits, target, _time(as_of), progress)

    def portfolio(self, target: str = "churn", as_of: Moment | None = None) -> Portfolio:
        """Return what moves the scores of the latest kept book, by group, and who shares a risk.

        `as_of` takes the book kept at or before that time.
        """
        from tenure.run.explain import run_portfolio

        return run_portfolio(self.config, target, _time(as_of))

    def changes(
        self, since: Moment, until: Moment | None = None, target: str = "churn"
    ) -> BookChange:
        """Return who moved most between the runs kept at or before two times, and why.

        Args:
            since: The earlier time.
            until: The later time; that of the latest run by default.
            target: What is predicted.
        """
        from tenure.run.explain import run_changes

        first, last = _time(since), _time(until)
        assert first is not None
        with self._progress() as progress:
            return run_changes(self.config, first, last, target, progress)

    def report(self, out: str | Path) -> Path:
        """Write the last training run as one offline page; return its path."""
        from tenure.run.report import run_report

        run_report(self.config, Path(out))
        return Path(out)

    def metrics(
        self,
        start: Moment | None = None,
        end: Moment | None = None,
        *,
        by: Sequence[str] = (),
        only: Sequence[str] = (),
        methods: Mapping[str, str] | None = None,
    ) -> pd.DataFrame:
        """Return the customer-success metrics of a period; `docs/metrics.md` says what each is.

        Args:
            start: Start of the period; twelve months before its end by default.
            end: Its end, exclusive; the last first of a month that was observed by default.
            by: What splits it: month, quarter, segment, plan, owner, currency, cohort.
            only: Names of metrics; all by default.
            methods: Metric → method, where it is not the default.

        Returns:
            One row per metric, period and group, with the columns of `tenure metrics --json`.
        """
        from tenure.run.metrics import metrics_frame, run_metrics
        from tenure.success.interpret import MetricsRequest

        request = MetricsRequest(_time(start), _time(end), tuple(by), tuple(only), methods or {})
        with self._progress() as progress:
            return metrics_frame(run_metrics(self.config, request, progress=progress))

    def account(
        self, account: str, as_of: Moment | None = None, *, since: Moment | None = None
    ) -> AccountRecord:
        """Return everything known about one account before a time; see `run_account`.

        Args:
            account: Its id.
            as_of: The time; the end of observation by default.
            since: The earlier time that scorecards are compared with.
        """
        from tenure.run.account import run_account

        with self._progress() as progress:
            return run_account(self.config, account, _time(as_of), _time(since), progress)

    def scorecards(
        self, as_of: Moment | None = None, *, since: Moment | None = None
    ) -> pd.DataFrame:
        """Return the scorecards of all accounts that pay; `docs/scorecards.md` says what each is.

        Args:
            as_of: The time; the end of observation by default.
            since: The earlier time that trends refer to.
        """
        from tenure.run.scorecards import run_scorecards

        with self._progress() as progress:
            times = (_time(as_of), _time(since))
            return run_scorecards(self.config, times, progress=progress).rows

    def health_map(
        self, kind: Literal["health", "experience"] = "health", as_of: Moment | None = None
    ) -> HealthMap:
        """Return the book by health and revenue, or by experience and outcomes.

        Args:
            kind: Which of the two.
            as_of: The time; the end of observation by default.
        """
        from tenure.run.scorecards import run_scorecards

        with self._progress() as progress:
            return run_scorecards(self.config, (_time(as_of), None), kind, progress=progress).map

    def worklist(
        self, as_of: Moment | None = None, *, capacity: int | None = None, remember: bool = True
    ) -> pd.DataFrame:
        """Return whom each owner is to call, one row per list and account; see `run_worklist`.

        Args:
            as_of: Latest prediction time of the kept scores; the end of observation by default.
            capacity: Accounts per owner and list; that of the config by default.
            remember: Whether the lists count as handed out: an account comes back only when
                something new is known of it.
        """
        from tenure.run.worklist import run_worklist, worklist_frame

        with self._progress() as progress:
            wish = (_time(as_of), capacity)
            lists = run_worklist(self.config, *wish, progress=progress, remember=remember)
        return worklist_frame(lists)

    def forecast(self, *, by: Sequence[str] = ()) -> pd.DataFrame:
        """Return what the accounts of the latest kept scores will do in a month and a quarter.

        One row per figure, period and group, and `by`: segment, plan, owner, currency;
        `docs/forecast.md` says what each column is.
        """
        from tenure.run.forecast import forecast_frame, run_forecast

        return forecast_frame(run_forecast(self.config, by))

    def training_set(self, target: str = "churn", horizon: int | str | None = None) -> TrainingSet:
        """Return the labelled past of a target: X, y, groups, as_of and honest folds.

        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> from sklearn.model_selection import cross_validate
        >>> from tenure import TenureClassifier
        >>> from tenure.demo import write_world
        >>> folder = TemporaryDirectory()
        >>> world = write_world(Path(folder.name), accounts=40, months=18, seed=1)
        >>> project = Project({"data": {"path": folder.name}}, model={"min_train_positives": 3})
        >>> ts = project.training_set("churn")
        >>> scores = cross_validate(TenureClassifier(rounds=5), ts.X, ts.y, cv=ts.cv(max_folds=3))
        >>> len(scores["test_score"])
        3
        >>> folder.cleanup()

        `horizon` is one of ``labels.horizons``, the main one by default.
        """
        from tenure.run.training_set import training_set

        with self._progress() as progress:
            return training_set(self.config, target, horizon, progress)

    def __repr__(self) -> str:
        """Return the name and the targets."""
        return f"<Project {self.config.name}: {', '.join(self.config.targets)}>"

    def _progress(self) -> Progress:
        return auto() if self._shown is None else self._shown


def _time(moment: Moment | None) -> datetime | None:
    try:
        return None if moment is None else as_utc(moment)
    except ValueError:
        rule = "is not an ISO date or time"
        raise ConfigError(Problem("as_of", rule, str(moment), "e.g. 2026-01-01")) from None
