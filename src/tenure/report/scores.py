"""What `tenure score` came to, in lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from tenure.core.records.promotion import ScoredMoney, ScoreRecord
from tenure.report.sentences.drift import drift_sentences
from tenure.report.sentences.formatting import counted


def score_lines(record: ScoreRecord) -> list[str]:
    """Return how many accounts were scored, their money at risk and lost, and the warnings."""
    first = f"{counted(record.accounts, 'account')} scored as of {record.as_of}: {record.out}"
    money = [line for total in record.money for line in _money(total)]
    drifts = [text for name, one in record.drift.items() for text in drift_sentences(name, one)]
    return [first, *money, *(f"warning: {text}" for text in (*record.warnings, *drifts))]


def _money(total: ScoredMoney) -> Iterator[str]:
    unit = f" {total.currency}" if total.currency else ""
    yield f"MRR at risk: {total.mrr_at_risk:,.0f}{unit} of {total.mrr:,.0f}"
    if total.notice_accounts:
        who = counted(total.notice_accounts, "account")
        yield f"known loss, not in it: {total.notice_mrr:,.0f}{unit} of {who} that gave notice"
