"""Why a score is what it is: drivers, evidence, what changed, what moves a book, what if."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from tenure.core.records.base import Record, Time

PartKind = Literal["data", "model", "base_rate", "all"]
Value = str | float | int | bool | None


class DriverRecord(Record):
    """A signal that moves a score."""

    code: str
    """Name of the signal."""
    label: str
    """What it is called in a list."""
    feature: str | None = None
    """Column of the matrix whose value is told, None of scores of older versions."""
    value: str
    """That value for people."""
    value_num: float | None = None
    """The same as a number, None for words and where there is none."""
    peer_value: str
    """Its value at comparable accounts that stayed, for people."""
    peer_value_num: float | None = None
    """The same as a number."""
    contribution: float
    """In the model's log-odds before calibration."""
    points: float | None = None
    """The same share of the way from the probability at the model's base value to that of the
    account; None where the two do not move together."""
    direction: Literal["raises", "lowers"]
    sentence: str
    """The driver as a sentence."""
    lever: bool | None = None
    """Whether a team can act on it; None of scores of older versions."""
    since: str | None = None
    """Date from which the value has stood so, None where it is not known."""
    ask: str = ""
    """What somebody who speaks with the account is to ask for, empty for context."""
    stability: float | None = None
    """Share of the models of resampled accounts that have it among their top five too, for drivers
    of its signal and rank; None where it was not measured."""
    unstable: bool = False
    """Whether that share is below a half."""


class EvidenceTable(Record):
    """Source rows behind a driver, newest first."""

    source: str
    columns: tuple[str, ...]
    """Names of the values of each row."""
    rows: tuple[tuple[Value, ...], ...]
    """Values; what was not known at the prediction time is None."""
    total: int
    """Rows that led to the value."""
    hidden: int
    """Those of them that are not shown."""


class DriverEvidence(Record):
    """The source rows behind one driver, by table."""

    code: str
    label: str
    feature: str
    tables: tuple[EvidenceTable, ...]


class ChangePart(Record):
    """A part of the move of a score."""

    kind: PartKind
    """What changed: the ``data`` of a signal, the ``model``, its ``base_rate``, or ``all`` of these
    where the older model or the tables are not at hand."""
    code: str = ""
    """Name of the signal, empty for other parts."""
    label: str
    """What the part is called."""
    log_odds: float
    """In the models' log-odds before calibration; all parts add up to the move."""
    points: float
    """Of probability; all parts add up to the move."""
    before: str = ""
    """What the driver said then, empty where it was none of the five."""
    after: str = ""
    """What it says now, likewise."""


class ScoreChange(Record):
    """How the score of an account moved between two runs, strongest part first."""

    account_id: str
    target: str
    horizon: str
    before_as_of: Time
    after_as_of: Time
    before_model: str
    after_model: str
    before_probability: float
    after_probability: float
    before_log_odds: float
    after_log_odds: float
    parts: tuple[ChangePart, ...]

    @property
    def move(self) -> float:
        """Change of the log-odds before calibration."""
        return self.after_log_odds - self.before_log_odds

    @property
    def points(self) -> float:
        """Change of the probability."""
        return self.after_probability - self.before_probability


class BookChange(Record):
    """How the scores of a book moved between two runs."""

    target: str
    before_as_of: Time
    after_as_of: Time
    changes: tuple[ScoreChange, ...]
    """Accounts with a score in both, those whose probability moved most first."""
    appeared: tuple[str, ...]
    """Accounts with a score in the later run alone."""
    gone: tuple[str, ...]
    """Accounts with a score in the earlier run alone."""
    drivers: tuple[tuple[str, float], ...]
    """Mean absolute part of each cause over all accounts, in log-odds, largest first."""


class EffectPoint(Record):
    """Mean contribution of the accounts of like value, with the middle 80 % of them."""

    value: float | str
    mean: float
    lo: float
    hi: float
    n: int


class SignalSummary(Record):
    """How a signal moves the scores of some accounts, in log-odds before calibration."""

    code: str
    """Name of the signal."""
    label: str
    """What it is called."""
    lever: bool
    """Whether a team can act on it."""
    mean_abs: float
    share: float
    """That as a share of all signals."""
    mean: float
    """Mean contribution: above 0 it raises the scores of these accounts on the whole."""
    raises: float
    """Share of the accounts whose score it raises."""
    association: float | None = None
    """Rank correlation of its leading feature with its contribution, -1 to 1."""
    feature: str = ""
    """Label of that feature."""
    unit: str = ""
    """Its unit, empty where it is not known."""
    effect: tuple[EffectPoint, ...] = ()
    """How its contribution goes with that feature, by value."""


class GroupSummary(Record):
    """What moves the scores of a part of a book: a segment, or an owner's accounts."""

    by: str
    name: str
    accounts: int
    signals: tuple[SignalSummary, ...]


class Cohort(Record):
    """Accounts at risk for the same reason."""

    code: str
    """The signal that raises their scores most."""
    label: str
    """What it is called."""
    ask: str
    """What to ask them for."""
    accounts: tuple[str, ...]
    """Their ids, the highest risk first."""
    mrr: dict[str, float]
    """Their MRR by currency."""
    at_risk: dict[str, float]
    """Probability × MRR by currency."""


class Portfolio(Record):
    """What moves the scores of a book."""

    target: str
    accounts: int
    signals: tuple[SignalSummary, ...]
    groups: tuple[GroupSummary, ...]
    cohorts: tuple[Cohort, ...]


class WhatIf(Record):
    """The score of an account with other values of levers: the model's association, no effect."""

    account_id: str
    target: str
    edits: dict[str, dict[str, Value]]
    """Feature → value, label, and the lowest and highest value of the training past that an edit
    may take."""
    probability: float
    """As it is."""
    edited_probability: float
    """With the edits."""
    log_odds: float
    """Before calibration, as it is."""
    edited_log_odds: float
    """With the edits."""
    followed: tuple[str, ...]
    """Features computed from the edited ones, whose values follow."""
    note: str
    """What the number means."""


class AccountExplanation(Record):
    """Why one account has its scores."""

    row: dict[str, Any]
    lines: tuple[str, ...]
    """The same for people."""
    drivers: dict[str, tuple[DriverRecord, ...]] = Field(default_factory=dict)
    """Target → drivers of its score."""
    evidence: dict[str, tuple[DriverEvidence, ...]] = Field(default_factory=dict)
    """Target → source rows behind them, where they were asked for."""
    changes: dict[str, ScoreChange] = Field(default_factory=dict)
    """Target → how its score moved since an earlier run, where that was asked for."""
