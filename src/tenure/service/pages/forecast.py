"""The forecast of retention: what is expected of the book, and how such forecasts did."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from tenure.core.errors import ConfigError, Problem, suggestion
from tenure.report.sentences.formatting import percent, sentence
from tenure.score.store.store import StoredRun
from tenure.service.pages.state import PageState, Trained
from tenure.service.pages.views import chosen_run


def outlook_parts(state: PageState, by: str) -> dict[str, Any]:
    """Return what the page of the forecast shows, by its name in the template.

    It is of the latest run: what forecasts are made with was learnt from outcomes until the last
    training run, and of an earlier run some of these lay in the future.

    `by` splits the accounts; empty for nothing.

    Raises:
        MissingPageError: If nothing was scored.
        ConfigError: If there is no such split.
    """
    from tenure.run.forecast import SPLITS

    if by and by not in SPLITS:
        raise ConfigError(
            Problem("by", "does not split a forecast", by[:40], suggestion(by, SPLITS))
        )
    run, trained = chosen_run(state.store.runs(), ""), state.training()
    frame = {"run": run, "splits": SPLITS, "by": by}
    if trained is None or trained.forecast is None:
        return frame | {"parts": [], "trained": trained}
    return frame | {"trained": trained} | _outlook(state, run, by, Trained(trained))


@lru_cache(maxsize=16)
def _outlook(state: PageState, run: StoredRun, by: str, trained: Trained) -> dict[str, Any]:
    """Return the forecast of a run, which is the same under the same training run."""
    from tenure.report.forecast_page import forecast_parts, rule_words
    from tenure.run.forecast import forecast_of

    fit = trained.record.forecast
    assert fit is not None
    rows = state.store.book(run)
    record = forecast_of(rows, run, trained.record, fit, (by,) if by else ())
    return {
        "parts": forecast_parts(record),
        "level": percent(record.level),
        "rules": rule_words(record),
        "notes": [f"{sentence(note)}." for note in record.notes],
    }
