"""Scores of a run by the challengers that wait, for comparison with those of the champions.

Whatever goes wrong with a challenger is noted and touches nothing else: all that the champions
gave is kept and delivered before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tenure.core.progress import Progress
from tenure.score.model import load_challenger
from tenure.score.score import Model, learnt_later, score

if TYPE_CHECKING:
    from tenure.core.config import Config
    from tenure.score.store.store import ScoreStore
    from tenure.score.store.write import ScoringRun
    from tenure.sources.dataset import Dataset


def score_shadows(
    config: Config,
    dataset: Dataset,
    store: ScoreStore,
    champions: Mapping[str, Model],
    runs: Sequence[ScoringRun],
    progress: Progress,
) -> None:
    """Score the accounts of runs with the challengers that wait, and keep what they give.

    A run from before the outcomes that either model learnt from is left out: it would not tell
    which of them predicts better.
    """
    for target, standing in champions.items():
        try:
            challenger = load_challenger(config, champions, target)
            if challenger is None:
                continue
            for run in runs:
                pair = {"champion": standing, "challenger": challenger}
                if not learnt_later(pair, run.as_of):
                    progress.stage(f"{target}: {challenger.bundle.version} in the shadow")
                    _score_shadow(config, dataset, store, {target: challenger}, run)
        except Exception as error:  # of whatever kind: the champions' scores stand
            progress.note(f"{target}: the challenger was not asked: {error}")


def _score_shadow(
    config: Config,
    dataset: Dataset,
    store: ScoreStore,
    challenger: Mapping[str, Model],
    run: ScoringRun,
) -> None:
    """Score the accounts of a run with a challenger, unless that was done before."""
    from tenure.score.store.shadow import add_shadow, shadow_versions

    versions = {(target, model.bundle.version) for target, model in challenger.items()}
    if versions <= shadow_versions(store.engine, run.run_id):
        return
    scored = score(dataset, challenger, config, run.as_of, horizons="all")
    add_shadow(store.engine, run.run_id, scored)
