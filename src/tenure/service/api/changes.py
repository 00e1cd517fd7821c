"""How the scores of an account changed between two runs, and what moved them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

from tenure.core.records.explain import ChangePart
from tenure.explain.changes import Bridge, ScoredPoint, score_change
from tenure.run.score_points import bridges_under, older_model, stored_points
from tenure.score.store.store import StoredRun, StoredScore
from tenure.service.api.calls import Call
from tenure.service.api.checks import check_targets
from tenure.service.api.meaning import direction
from tenure.service.api.reads import accounts_seen, of_last_run, run_answer
from tenure.service.api.requests import ChangesQuery
from tenure.service.api.responses import Changes, TargetChange
from tenure.sources.dataset import Dataset

Bridges = Mapping[str, Mapping[str, Mapping[str, Bridge]]]
"""Target → horizon → account → its later data under the older model."""


class _Move(NamedTuple):
    """A score and the one before it; the points are None where one has no probability."""

    score: StoredScore
    earlier: StoredScore | None
    points: tuple[ScoredPoint, ScoredPoint] | None

    @property
    def other_model(self) -> bool:
        """Whether the two come from different models and can be compared."""
        return self.points is not None and len({one.model_version for one in self.points}) == 2


async def account_changes(call: Call, query: ChangesQuery) -> Changes:
    """Return how the scores of an account changed between two runs, and what moved them."""
    check_targets(query.targets, call.state.config.targets, "target")
    run, since, moves = await call.state.read(lambda: _moves(call, query))
    between = await _bridges(call, run, moves)
    return Changes(
        account_id=call.accounts[0],
        run=run_answer(run),
        since=run_answer(since) if since else None,
        changes=tuple(_change(call, move, between) for move in moves),
    )


def _moves(call: Call, query: ChangesQuery) -> tuple[StoredRun, StoredRun | None, list[_Move]]:
    """Return the last run, the earlier one, and each score of the account in both."""
    run, account = of_last_run(call)
    store, name = call.state.store, account.account_id
    since = store.before(query.since or run.as_of)
    past = accounts_seen(call, since, [name]).get(name) if since else None
    before = {(one.target, one.horizon): one for one in (past.scores if past else [])}
    moves = []
    for score in account.scores:
        if query.target in ("", score.target):
            earlier, points = before.get((score.target, score.horizon)), None
            if since and earlier and None not in (earlier.probability, score.probability):
                wanted = (score.target, score.horizon, [name])
                first, last = (stored_points(store, each, *wanted) for each in (since, run))
                points = first[name], last[name]
            moves.append(_Move(score, earlier, points))
    return run, since, moves


async def _bridges(call: Call, run: StoredRun, moves: Sequence[_Move]) -> Bridges:
    """Return the later data under each older model, where the tables are at hand."""
    tables = call.state.tables
    older = {
        move.score.target: move.earlier.model_version
        for move in moves
        if move.other_model and move.earlier
    }
    if not older or tables.observed_until is None:
        return {}
    return await tables.query(partial(_under, call, run, older))


def _under(call: Call, run: StoredRun, older: Mapping[str, str], dataset: Dataset) -> Bridges:
    config = call.state.config
    models = {name: older_model(config, name, version) for name, version in older.items()}
    return {
        name: bridges_under(model, config, dataset, run.as_of, call.accounts)
        for name, model in models.items()
        if model is not None
    }


def _change(call: Call, move: _Move, between: Bridges) -> TargetChange:
    after, before = move.score, move.earlier
    parts: tuple[ChangePart, ...] | None = None
    if move.points is not None:
        model = call.state.champions.models.get(after.target)
        labels = dict(model.facts.signals.labels) if model else {}
        labels |= {driver["code"]: driver["label"] for driver in after.drivers}
        bridge = between.get(after.target, {}).get(after.horizon, {}).get(after.account_id)
        parts = score_change(*move.points, labels, bridge).parts
    chances = (before.probability if before else None, after.probability)
    return TargetChange(
        target=after.target,
        horizon=after.horizon,
        horizon_days=after.horizon_days,
        before=chances[0],
        after=chances[1],
        change=None if None in chances else chances[1] - chances[0],  # type: ignore[operator]
        model_version_before=before.model_version if before else None,
        model_version=after.model_version,
        direction=direction(after.target),
        parts=parts,
    )
