"""Why: rows behind a driver, what changed between two runs, and what moves the whole book."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from tenure.core.errors import DataError
from tenure.core.flat_row import MAIN
from tenure.core.records.explain import DriverEvidence, ScoreChange
from tenure.explain.changes import ScoredPoint, score_change, shown_parts
from tenure.explain.evidence import EvidenceRequest, evidence_of
from tenure.labels.targets import TARGETS
from tenure.run.explain import stored_portfolio
from tenure.run.score_points import bridges, stored_points
from tenure.score.model import Model
from tenure.score.store.store import StoredRun
from tenure.service.pages.account import book_row
from tenure.service.pages.state import PageState
from tenure.service.pages.success import NO_TABLES
from tenure.service.pages.views import MissingPageError, chosen_run, run_before
from tenure.sources.dataset import Dataset

if TYPE_CHECKING:
    from tenure.report.portfolio import PortfolioView
    from tenure.service.access import Caller


def evidence_parts(state: PageState, link: Mapping[str, str], who: Caller | None) -> dict[str, Any]:
    """Return the source rows behind a driver, by its name in the template.

    `link` has ``id``, ``as_of``, ``target`` and ``feature``, the column that a driver tells.

    Raises:
        MissingPageError: If there is no such account, run or feature, or no tables.
    """
    run = chosen_run(state.store.runs(), link["as_of"])
    row = book_row(state, link["id"], run, None, who)
    model, feature = _model(state, link["target"] or MAIN), link["feature"]
    if feature not in model.plan.described:
        raise MissingPageError("The champion does not read this feature: another model did.")
    if not state.raw.present:
        raise MissingPageError(NO_TABLES)

    def behind(dataset: Dataset) -> DriverEvidence:
        request = EvidenceRequest(row.account_id, run.as_of)
        return evidence_of(dataset.engine, model.plan, [feature], request)[0]

    key = ("evidence", row.account_id, run.as_of, feature, model.bundle.version)
    evidence = state.answered(state.raw.ask(key, behind))
    return {"run": run, "row": row, "evidence": evidence}


def change_parts(state: PageState, link: Mapping[str, str], who: Caller | None) -> dict[str, Any]:
    """Return how the scores of an account moved between two runs, and by what.

    `link` has ``id``, ``as_of`` and ``since``.

    Raises:
        MissingPageError: If there is no such account or run.
    """
    runs = state.store.runs()
    run = chosen_run(runs, link["as_of"])
    since = run_before(runs, run, link["since"])
    row = book_row(state, link["id"], run, since, who)
    changes = []
    if since is not None:
        pair = since, run
        moves = (score_move(state, name, row.account_id, pair) for name in _targets(state))
        changes = [_shown(move) for move in moves if move is not None]
    return {"run": run, "since": since, "row": row, "changes": changes}


def _shown(move: ScoreChange) -> dict[str, Any]:
    """Return a move with its parts that are worth a line, and the sum of the others."""
    large, rest = shown_parts(move)
    return {
        "event": TARGETS[move.target].event,
        "move": move,
        "parts": large,
        "rest": len(rest),
        "rest_points": sum(part.points for part in rest),
    }


def score_move(
    state: PageState, target: str, account: str, runs: tuple[StoredRun, StoredRun]
) -> ScoreChange | None:
    """Return how a score moved between two runs, None where one of them has none.

    The part of another model is set apart where the tables are at hand.
    """
    before, after = (_point(state, run, target, account) for run in runs)
    if before is None or after is None:
        return None
    model = state.models().get(target)
    labels = model.facts.signals.labels if model else {}
    bridge = None
    if before.model_version != after.model_version and state.raw.present:
        version = before.model_version
        bridge = state.answered(
            state.raw.ask(
                ("bridge", account, target, version, after.as_of),
                lambda tables: bridges(
                    state.config, tables, target, version, after.as_of, [account]
                ),
            )
        )
    return score_change(before, after, labels, (bridge or {}).get(account))


def _point(state: PageState, run: StoredRun, target: str, account: str) -> ScoredPoint | None:
    """Return an account's score in a run, None where the run has none of the target."""
    try:
        points = stored_points(state.store, run, target, state.horizon, [account])
    except DataError:
        return None
    return points.get(account)


def driver_parts(state: PageState, target: str, as_of: str) -> dict[str, Any]:
    """Return what moves the scores of a book, by its name in the template.

    Raises:
        MissingPageError: If there is no such run, or no model of the target.
    """
    runs = state.store.runs()
    run, model = chosen_run(runs, as_of), _model(state, target or MAIN)
    view = _portfolio(state, run, model.bundle.spec.target, model.bundle.version)
    return {"run": run, "runs": runs, "targets": sorted(state.models()), "view": view}


@lru_cache(maxsize=8)
def _portfolio(state: PageState, run: StoredRun, target: str, version: str) -> PortfolioView:
    """Return the portfolio of a run, which is the same under the same version of the model."""
    from tenure.report.portfolio import portfolio_view

    record = stored_portfolio(state.store, run, state.models()[target])
    return portfolio_view(record, run.as_of, version)


def _targets(state: PageState) -> tuple[str, ...]:
    return tuple(dict.fromkeys([MAIN, *state.config.targets]))


def _model(state: PageState, target: str) -> Model:
    models = state.models()
    if target not in models:
        raise MissingPageError("There is no champion of that target.")
    return models[target]
