"""Scores of posted rows by the challengers that wait, after the answer and when nothing else runs.

Nobody waits for them.  What cannot be done soon is dropped, and whatever fails is logged: an answer
never depends on it.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from queue import Empty, Full, Queue
from typing import TYPE_CHECKING, Any, Literal

from tenure.core.config import Config
from tenure.core.errors import first_line
from tenure.core.times import clock
from tenure.engine import EnginePool
from tenure.model.registry.published import waiting
from tenure.score.model import Model, load_challenger
from tenure.score.posted import score_posted
from tenure.score.store.database import Engine
from tenure.score.store.shadow import ShadowAnswer, add_answers, forget_answers
from tenure.service.api.feature_rows import feature_values
from tenure.service.api.live_responses import HistoryScores, RowScores

if TYPE_CHECKING:
    from tenure.service.api.requests import HistoryRequest, RowsRequest

logger = logging.getLogger("tenure.service")
MOST_WAITING = 4
"""Answers that wait for a challenger; each holds the body that was posted."""
PATIENCE_SECONDS = 5.0
"""How long one waits for a moment without other requests."""
LOOK_SECONDS = 30.0
"""How often a new challenger is looked for."""
CLOSE_SECONDS = 5.0
"""How long one that is being asked may hold up the end."""
Result = Literal["written", "dropped", "failed"]
Key = tuple[str, str | int]
"""Target, and the account or the place of the row."""


@dataclass(frozen=True)
class Answered:
    """What a champion answered to one request."""

    request_id: str
    path: str
    champions: Mapping[str, Model]
    """Target → model."""
    as_of: datetime | None
    """Prediction time; None of feature rows."""
    rows: Mapping[Key, tuple[int, int, float]]
    """Target and account or place → place, horizon in days, and probability."""
    ask: Callable[[Mapping[str, Model]], Mapping[Key, float]]
    """Gives the probabilities of other models, by the same keys."""


class Shadow:
    """Asks the challengers that wait, in a thread of its own.

    Args:
        config: Settings.
        engine: Gives the store.
        engines: Lends engines for posted history.
        busy: Tells whether requests are under way.
        champions: Gives the champions.
    """

    def __init__(
        self,
        config: Config,
        engine: Callable[[], Engine],
        engines: EnginePool,
        busy: Callable[[], bool],
        champions: Callable[[], Mapping[str, Model]],
    ) -> None:
        self._config, self._engine, self._engines = config, engine, engines
        self._busy, self._champions = busy, champions
        self._waiting: Queue[Answered] = Queue(MOST_WAITING)
        self._targets: frozenset[str] = frozenset()
        self._challengers: dict[str, Model] = {}
        self._beside: Mapping[str, Model] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tenure-shadow", daemon=True)
        self.count: Callable[[Result], None] = lambda _: None

    def start(self) -> None:
        """Begin to look for challengers."""
        if self._config.store.shadow and not self._thread.is_alive():
            self._thread.start()

    def close(self) -> None:
        """Stop; what waits is dropped."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(CLOSE_SECONDS)

    def offer_history(
        self, ids: tuple[str, str], ask: HistoryRequest, models: Mapping[str, Model], answer: Any
    ) -> None:
        """Have challengers asked about posted history; returns at once.

        `ids` are request id and path, `ask` is what was posted, `models` the champions by target,
        and `answer` what was answered, `HistoryScores`.
        """
        targets = sorted(self._targets & models.keys())
        if targets:
            replay = self._history(ask)
            self._offer(
                lambda: Answered(*ids, models, ask.as_of, _of_history(answer, targets), replay)
            )

    def offer_rows(
        self, ids: tuple[str, str], ask: RowsRequest, models: Mapping[str, Model], answer: RowScores
    ) -> None:
        """Have a challenger asked about feature rows; returns at once."""
        if ask.target in self._targets:
            days, replay = models[ask.target].horizon_days, _replayed(ask.rows)
            self._offer(
                lambda: Answered(*ids, models, None, _of_rows(answer, ask.target, days), replay)
            )

    def _offer(self, described: Callable[[], Answered]) -> None:
        try:
            self._waiting.put_nowait(described())
        except Full:
            self.count("dropped")
        except Exception:  # of whatever kind: the answer goes out
            logger.exception("a challenger could not be asked")
            self.count("failed")

    def _history(self, ask: HistoryRequest) -> Callable[[Mapping[str, Model]], Mapping[Key, float]]:
        def replay(challengers: Mapping[str, Model]) -> Mapping[Key, float]:
            with self._engines.borrow() as engine:
                scores = score_posted(ask.tables, challengers, self._config, ask.as_of, engine)
            columns = {target: f"{target}_probability" for target in challengers}
            return {
                (target, account): chance
                for target, column in columns.items()
                for account, chance in zip(
                    scores.rows["account_id"], scores.rows[column].tolist(), strict=True
                )
            }

        return replay

    def _run(self) -> None:
        with suppress(Exception):  # the store may be away; what is old goes at the next start
            before = clock() - timedelta(days=self._config.service.audit_days)
            forget_answers(self._engine(), before)
        look_at = 0.0
        while not self._over.is_set():
            if time.monotonic() >= look_at:
                self._look()
                look_at = time.monotonic() + LOOK_SECONDS
            try:
                answered = self._waiting.get(timeout=0.5)
            except Empty:
                continue
            self.count(self._compared(answered))

    def _look(self) -> None:
        """Note which targets have a challenger; one that is gone is let go."""
        folder, names = self._config.paths.models, self._champions()
        with suppress(Exception):  # damaged files: they are told of where they are read
            self._targets = frozenset(name for name in names if waiting(folder, name))
        for name in self._challengers.keys() - self._targets:
            del self._challengers[name]

    def _compared(self, answered: Answered) -> Result:
        until = time.monotonic() + PATIENCE_SECONDS
        while self._busy():
            if time.monotonic() > until or self._over.wait(0.02):
                return "dropped"
        try:
            challengers = self._current(answered)
            others = answered.ask(challengers) if challengers else {}
            add_answers(self._engine(), self._config.name, _pairs(answered, challengers, others))
        except Exception as error:
            logger.warning("a challenger could not be asked: %s", first_line(error))
            return "failed"
        return "written"

    def _current(self, answered: Answered) -> dict[str, Model]:
        """Return the challengers of the targets that were answered."""
        if answered.champions is not self._beside:  # a part of an event is a share of another
            self._challengers, self._beside = {}, answered.champions
        models = {}
        for target in sorted({target for target, _ in answered.rows}):
            before = self._challengers.get(target)
            challenger = load_challenger(self._config, answered.champions, target, before)
            if challenger is not None:
                models[target] = self._challengers[target] = challenger
        return models


def _of_history(answer: HistoryScores, targets: Sequence[str]) -> dict[Key, tuple[int, int, float]]:
    """Return what was answered, by target and account."""
    return {
        (target, row.account_id): (place, row.horizon_days, chance)
        for place, row in enumerate(answer.rows)
        for target in targets
        if (chance := getattr(row, f"{target}_probability", None)) is not None
    }


def _of_rows(answer: RowScores, target: str, days: int) -> dict[Key, tuple[int, int, float]]:
    """Return what was answered, by target and place."""
    return {
        (target, place): (place, days, row.probability)
        for place, row in enumerate(answer.rows)
        if row is not None
    }


def _replayed(
    rows: Sequence[Mapping[str, Any]],
) -> Callable[[Mapping[str, Model]], Mapping[Key, float]]:
    def replay(challengers: Mapping[str, Model]) -> Mapping[Key, float]:
        others: dict[Key, float] = {}
        for target, model in challengers.items():
            columns = model.main.columns
            if not all(column in row for row in rows for column in columns):
                continue  # it reads what the champion does not, and nobody posted that
            values = feature_values(model, [{name: row[name] for name in columns} for row in rows])
            chances = model.main.scores(values).probability.tolist()
            others |= {(target, place): chance for place, chance in enumerate(chances)}
        return others

    return replay


def _pairs(
    answered: Answered, challengers: Mapping[str, Model], others: Mapping[Key, float]
) -> list[ShadowAnswer]:
    at = clock()
    return [
        ShadowAnswer(
            at=at,
            request_id=answered.request_id,
            path=answered.path,
            target=target,
            horizon_days=days,
            account_id=name if isinstance(name, str) else None,
            as_of=answered.as_of,
            place=place,
            champion_version=answered.champions[target].bundle.version,
            model_version=challengers[target].bundle.version,
            champion_probability=chance,
            probability=others[target, name],
        )
        for (target, name), (place, days, chance) in answered.rows.items()
        if not math.isnan(others.get((target, name), math.nan))
    ]
