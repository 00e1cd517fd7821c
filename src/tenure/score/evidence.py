"""The source rows behind the drivers of scores, of a batch or of posted history."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from tenure.core.records.explain import DriverEvidence
from tenure.engine import Engine
from tenure.explain.evidence import EvidenceRequest, evidence_of

if TYPE_CHECKING:
    from tenure.score.scored import Scored

AccountEvidence = dict[str, tuple[DriverEvidence, ...]]
"""Target → the source rows behind each driver, strongest first."""


def evidence_behind(
    engine: Engine, scored: Scored, most: int, accounts: Collection[str] | None = None
) -> dict[str, AccountEvidence]:
    """Return account → the source rows behind the drivers of its main scores.

    The engine holds the tables that were scored.  Each driver of the few accounts takes a statement
    and shows `most` rows of one table; `accounts` limits them further.
    """
    behind: dict[str, AccountEvidence] = {}
    for target, model in scored.models.items():
        main = scored.main(target)
        rows = scored.rows.iloc[main.rows]
        for position, (account, as_of) in enumerate(
            zip(rows["account_id"], rows["as_of"], strict=True)
        ):
            if accounts is not None and account not in accounts:
                continue
            features = [model.main.columns[at] for at in main.telling[position] if at >= 0]
            request = EvidenceRequest(str(account), as_of.to_pydatetime(), most)
            own = evidence_of(engine, model.plan, features, request)
            behind.setdefault(str(account), {})[target] = own
    return behind
