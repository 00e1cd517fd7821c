"""`tenure score`: the champions, asked about the present or the past."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tenure.core.config import Config
from tenure.core.errors import DataError, Problem
from tenure.core.files import canonical_json, digest, write_table
from tenure.core.flat_row import MAIN
from tenure.core.progress import SILENT, Progress
from tenure.core.records.promotion import ScoreRecord
from tenure.core.times import show
from tenure.run.announce import announce_bands
from tenure.run.prepare import loaded
from tenure.run.runs_folder import claim_runs_folder
from tenure.run.shadow import score_shadows
from tenure.score.drift import book_drift
from tenure.score.rows import Selection, selected, with_change
from tenure.score.score import learnt_later, load_models, score
from tenure.score.scored import Scored
from tenure.score.totals import money_totals
from tenure.success.scores.settle import settle

if TYPE_CHECKING:
    from tenure.score.store.store import ScoreStore
    from tenure.score.store.write import ScoringRun
    from tenure.sources.dataset import Dataset

LAST = "scores.parquet"


def run_score(
    config: Config,
    out: Path,
    as_of: datetime | None = None,
    progress: Progress = SILENT,
    columns: Selection = "all",
    before: Sequence[datetime] = (),
) -> ScoreRecord:
    """Score every account, keep the run, and write its flat rows, as .csv or .parquet.

    The columns ``slim`` are those that people read.  See `score_book` for the rest.
    """

    def deliver(scored: Scored) -> None:
        write_table(selected(scored.rows, columns), out)

    scored = score_book(config, as_of, progress, before, deliver)
    main = scored.rows[~scored.rows["account_id"].duplicated()]
    moment = main["as_of"].iloc[0].to_pydatetime()
    return ScoreRecord(
        rows=len(scored.rows),
        accounts=len(main),
        as_of=show(moment),
        out=str(out),
        abstained=int(main["abstain_reason"].notna().sum()),
        models={target: model.bundle.version for target, model in scored.models.items()},
        money=money_totals(main) if MAIN in scored.models else (),
        warnings=tuple(learnt_later(scored.models, moment)),
        drift=dict(scored.drift),
    )


def score_book(
    config: Config,
    as_of: datetime | None = None,
    progress: Progress = SILENT,
    before: Sequence[datetime] = (),
    deliver: Callable[[Scored], None] = lambda _: None,
) -> Scored:
    """Return the scores of every account, after they were kept.

    They are kept in the store, and their rows as ``<runs>/scores.parquet`` too.  The rows of the
    main horizon come first, then those of the further horizons of the models.
    `probability_change` is the change of the probability of churn since the kept run with the
    latest prediction time before this one, under the same horizon; it is empty for accounts that
    had no probability then, and under the horizon ``renewal``.

    Once all that is done, the challengers that wait are asked about the same runs, and what they
    give is kept beside them; nothing else shows it.

    `as_of` is by default when observation stopped; the times in `before` are scored and kept first,
    and `deliver` takes the scores of the last to wherever else they go.

    Raises:
        DataError: If no account pays at that time.
        ConfigError: If the store cannot be used.
    """
    from tenure.score.store.store import ScoreStore

    models = load_models(config)
    claim_runs_folder(config)
    with (
        loaded(config, progress, thorough=False, anew=True) as dataset,
        ScoreStore.open(config) as store,
    ):
        settle(store, dataset, config.labels)
        last = as_of or dataset.observed_until
        runs = []
        for moment in (*before, last):
            scored = score(dataset, models, config, moment, horizons="all", progress=progress)
            if scored.rows.empty:
                rule = "no account has a paid subscription then"
                fix = "choose a date inside the data"
                raise DataError(Problem("as_of", rule, show(moment), fix))
            compared = {target: book_drift(scored, target) for target in scored.models}
            known = {target: drift for target, drift in compared.items() if drift}
            scored = replace(scored, drift=known)
            progress.stage("keeping the scores")
            scored, run = _stored(config, dataset, store, scored, moment)
            runs.append(run)
        announce_bands(config, store, progress)
        write_table(scored.rows, config.paths.runs / LAST)
        deliver(scored)
        if config.store.shadow:
            score_shadows(config, dataset, store, models, runs, progress)
    return scored


def _stored(
    config: Config, dataset: Dataset, store: ScoreStore, scored: Scored, as_of: datetime
) -> tuple[Scored, ScoringRun]:
    """Return scores with their change since the run before, and the run that they were kept as."""
    from tenure.score.store.write import ScoringRun

    earlier = store.before(as_of)
    if earlier is not None and MAIN in scored.models:
        rows = with_change(scored.rows, store.probabilities(earlier, MAIN))
        scored = replace(scored, rows=rows)
    run = ScoringRun(
        project=config.name,
        kind="batch",
        as_of=as_of,
        scored_at=scored.rows["scored_at"].iloc[0].to_pydatetime(),
        observed_until=dataset.observed_until,
        config_digest=_settings_digest(config),
        data_fingerprint=scored.fingerprint,
        models={target: model.bundle.version for target, model in scored.models.items()},
    )
    store.add(run, scored, config.store.keep)
    return scored, run


def _settings_digest(config: Config) -> str:
    """Return a hash of the settings that scores depend on beside the data and the models."""
    settings = config.model_dump(mode="json", include={"name", "labels", "targets", "score"})
    return digest(canonical_json(settings))
