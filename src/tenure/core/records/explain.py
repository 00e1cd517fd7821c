"""Why a score is what it is: drivers, evidence, what changed, what moves a book, what if."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from tenure.core.records.base import Record, Time

PartKind = Literal["data", "model", "base_rate", "all"]
Value = str | float | int | bool | None


class DriverRecord(Record):
    """A signal that moves a score.

    Attributes:
        code: Name of the signal.
        label: What it is called in a list.
        feature: Column of the matrix whose value is told, None of scores of older versions.
        value: That value for people.
        value_num: The same as a number, None for words and where there is none.
        peer_value: Its value at comparable accounts that stayed, for people.
        peer_value_num: The same as a number.
        contribution: In the model's log-odds before calibration.
        points: The same share of the way from the probability at the model's base value to that of
            the account; None where the two do not move together.
        direction: ``raises`` or ``lowers``.
        sentence: The driver as a sentence.
        lever: Whether a team can act on it; None of scores of older versions.
        since: Date from which the value has stood so, None where it is not known.
        ask: What somebody who speaks with the account is to ask for, empty for context.
        stability: Share of the models of resampled accounts that have it among their top five too,
            for drivers of its signal and rank; None where it was not measured.
        unstable: Whether that share is below a half.
    """

    code: str
    label: str
    feature: str | None = None
    value: str
    value_num: float | None = None
    peer_value: str
    peer_value_num: float | None = None
    contribution: float
    points: float | None = None
    direction: Literal["raises", "lowers"]
    sentence: str
    lever: bool | None = None
    since: str | None = None
    ask: str = ""
    stability: float | None = None
    unstable: bool = False


class EvidenceTable(Record):
    """Source rows behind a driver, newest first.

    Attributes:
        source: Table.
        columns: Names of the values of each row.
        rows: Values; what was not known at the prediction time is None.
        total: Rows that led to the value.
        hidden: Those of them that are not shown.
    """

    source: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
    total: int
    hidden: int


class DriverEvidence(Record):
    """The source rows behind one driver, by table."""

    code: str
    label: str
    feature: str
    tables: tuple[EvidenceTable, ...]


class ChangePart(Record):
    """A part of the move of a score.

    Attributes:
        kind: What changed: the ``data`` of a signal, the ``model``, its ``base_rate``, or ``all``
            of these where the older model or the tables are not at hand.
        code: Name of the signal, empty for other parts.
        label: What the part is called.
        log_odds: In the models' log-odds before calibration; all parts add up to the move.
        points: Of probability; all parts add up to the move.
        before: What the driver said then, empty where it was none of the five.
        after: What it says now, likewise.
    """

    kind: PartKind
    code: str = ""
    label: str
    log_odds: float
    points: float
    before: str = ""
    after: str = ""


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
    """How the scores of a book moved between two runs.

    Attributes:
        changes: Accounts with a score in both, those whose probability moved most first.
        appeared: Accounts with a score in the later run alone.
        gone: Accounts with a score in the earlier run alone.
        drivers: Mean absolute part of each cause over all accounts, in log-odds, largest first.
    """

    target: str
    before_as_of: Time
    after_as_of: Time
    changes: tuple[ScoreChange, ...]
    appeared: tuple[str, ...]
    gone: tuple[str, ...]
    drivers: tuple[tuple[str, float], ...]


class EffectPoint(Record):
    """Mean contribution of the accounts of like value, with the middle 80 % of them."""

    value: float | str
    mean: float
    lo: float
    hi: float
    n: int


class SignalSummary(Record):
    """How a signal moves the scores of some accounts, in log-odds before calibration.

    Attributes:
        code: Name of the signal.
        label: What it is called.
        lever: Whether a team can act on it.
        mean_abs: Mean absolute contribution.
        share: That as a share of all signals.
        mean: Mean contribution: above 0 it raises the scores of these accounts on the whole.
        raises: Share of the accounts whose score it raises.
        association: Rank correlation of its leading feature with its contribution, -1 to 1.
        feature: Label of that feature.
        unit: Its unit, empty where it is not known.
        effect: How its contribution goes with that feature, by value.
    """

    code: str
    label: str
    lever: bool
    mean_abs: float
    share: float
    mean: float
    raises: float
    association: float | None = None
    feature: str = ""
    unit: str = ""
    effect: tuple[EffectPoint, ...] = ()


class GroupSummary(Record):
    """What moves the scores of a part of a book: a segment, or an owner's accounts."""

    by: str
    name: str
    accounts: int
    signals: tuple[SignalSummary, ...]


class Cohort(Record):
    """Accounts at risk for the same reason.

    Attributes:
        code: The signal that raises their scores most.
        label: What it is called.
        ask: What to ask them for.
        accounts: Their ids, the highest risk first.
        mrr: Their MRR by currency.
        at_risk: Probability × MRR by currency.
    """

    code: str
    label: str
    ask: str
    accounts: tuple[str, ...]
    mrr: dict[str, float]
    at_risk: dict[str, float]


class Portfolio(Record):
    """What moves the scores of a book."""

    target: str
    accounts: int
    signals: tuple[SignalSummary, ...]
    groups: tuple[GroupSummary, ...]
    cohorts: tuple[Cohort, ...]


class WhatIf(Record):
    """The score of an account with other values of levers: the model's association, no effect.

    Attributes:
        account_id: The account.
        target: What is predicted.
        edits: Feature → value, label, and the lowest and highest value of the training past that
            an edit may take.
        probability: As it is.
        edited_probability: With the edits.
        log_odds: Before calibration, as it is.
        edited_log_odds: With the edits.
        followed: Features computed from the edited ones, whose values follow.
        note: What the number means.
    """

    account_id: str
    target: str
    edits: dict[str, dict[str, Value]]
    probability: float
    edited_probability: float
    log_odds: float
    edited_log_odds: float
    followed: tuple[str, ...]
    note: str


class AccountExplanation(Record):
    """Why one account has its scores.

    Attributes:
        row: Its flat row.
        lines: The same for people.
        drivers: Target → drivers of its score.
        evidence: Target → source rows behind them, where they were asked for.
        changes: Target → how its score moved since an earlier run, where that was asked for.
    """

    row: dict[str, Any]
    lines: tuple[str, ...]
    drivers: dict[str, tuple[DriverRecord, ...]] = Field(default_factory=dict)
    evidence: dict[str, tuple[DriverEvidence, ...]] = Field(default_factory=dict)
    changes: dict[str, ScoreChange] = Field(default_factory=dict)
