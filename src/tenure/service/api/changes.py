"""How the scores of an account changed between two runs, from the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenure.score.store.reading import BASE
from tenure.score.store.store import StoredRun, StoredScore
from tenure.service.api.reads import accounts_seen, of_last_run, run_answer
from tenure.service.api.requests import ChangesQuery
from tenure.service.api.responses import Changes, ScoreChange, SignalChange, direction

if TYPE_CHECKING:
    from tenure.service.api.calls import Call


async def account_changes(call: Call, query: ChangesQuery) -> Changes:
    """Return how the scores of an account changed between two runs, and by which signals."""
    return await call.state.read(lambda: _changes(call, query))


def _changes(call: Call, query: ChangesQuery) -> Changes:
    run, account = of_last_run(call)
    since = call.state.store.before(query.since or run.as_of)
    earlier = accounts_seen(call, since, [account.account_id]) if since else {}
    before = {
        (one.target, one.horizon): one
        for one in (earlier[account.account_id].scores if earlier else [])
    }
    changes = [
        _change(call, (run, since), one, before.get((one.target, one.horizon)))
        for one in account.scores
        if not query.target or one.target == query.target
    ]
    return Changes(
        account_id=account.account_id,
        run=run_answer(run),
        since=run_answer(since) if since else None,
        changes=tuple(changes),
    )


def _change(
    call: Call,
    runs: tuple[StoredRun, StoredRun | None],
    after: StoredScore,
    before: StoredScore | None,
) -> ScoreChange:
    chances = (before.probability if before else None, after.probability)
    known = None not in chances
    signals = None
    if known and before and runs[1] and before.model_version == after.model_version:
        signals = _signals(call, (runs[0], runs[1]), after)
    return ScoreChange(
        target=after.target,
        horizon=after.horizon,
        horizon_days=after.horizon_days,
        before=chances[0],
        after=chances[1],
        change=chances[1] - chances[0] if known else None,  # type: ignore[operator]
        model_version_before=before.model_version if before else None,
        model_version=after.model_version,
        direction=direction(after.target),
        signals=signals,
    )


def _signals(
    call: Call, runs: tuple[StoredRun, StoredRun], score: StoredScore
) -> tuple[SignalChange, ...]:
    """Return what each signal added to a change, strongest first."""
    now, past = (
        call.state.store.contributions(run, score.target, score.horizon, [score.account_id]).iloc[0]
        for run in runs
    )
    labels = {driver["code"]: driver["label"] for driver in score.drivers}
    moves = (now - past).drop(BASE)
    order = moves.abs().sort_values(ascending=False, kind="stable").index
    return tuple(
        SignalChange(
            code=str(code),
            label=labels.get(str(code)),
            before=float(past[code]),
            after=float(now[code]),
            change=float(moves[code]),
        )
        for code in order
        if moves[code]
    )
