"""The survey responses: NPS waves, and CSAT and CES after some tickets, many unanswered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tenure.core.arrays import Flags, Floats, Ints
from tenure.demo import parameters as p
from tenure.demo.calendar import as_times
from tenure.demo.log import Log
from tenure.demo.tables import HOUR, People, account_ids, named, numbered, table, user_ids, values

if TYPE_CHECKING:
    import pyarrow as pa

TYPES = ("nps", "csat", "ces")
SCALES = np.array(((0, 10), (1, 5), (1, 7)))
COMMENTS = ("Too slow to get help", "Does what we need", "Our team relies on it")
SENT = 7 * HOUR  # second of the day; answers come the same day


Requests = tuple[Ints, Ints, Ints, Ints, Ints]
"""Account, day, kind of survey, score (-1 where nobody answers) and respondent, in any order."""


def surveys(log: Log, people: People, last_day: int, rng: np.random.Generator) -> pa.Table:
    """Return the survey responses table."""
    parts = (
        _waves(log, people, rng),
        _after_tickets(log, last_day, rng, 1, 4.3, 1.1),
        _after_tickets(log, last_day, rng, 2, 5.6, 1.6),
    )
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    order = np.lexsort([columns[place] for place in (4, 0, 2, 1)])
    account, day, kind, score, user = (column[order] for column in columns)
    size, answered = order.size, score >= 0
    delay = rng.integers(600, 15 * HOUR, size)
    mood = (score - SCALES[kind, 0]) / np.diff(SCALES)[kind, 0]
    word = np.clip((mood * 2.99).astype(np.int64), 0, 2)
    return table(
        {
            "response_id": numbered("res-", np.arange(1, size + 1), 6),
            "account_id": account_ids(account),
            "respondent_id": user_ids(account, user),
            "survey_type": named(TYPES, kind),
            "score": values(score, answered),
            "scale_min": values(SCALES[kind, 0]),
            "scale_max": values(SCALES[kind, 1]),
            "sent_at": values(as_times(day, SENT)),
            "responded_at": values(as_times(day, SENT + delay), answered),
            "comment": named(COMMENTS, word, answered & (rng.random(size) < 0.15)),
        }
    )


def _waves(log: Log, people: People, rng: np.random.Generator) -> Requests:
    """Ask one user of each account, and in larger ones a second, who does not answer."""
    rows = log.read("nps")
    more = people.segment[rows["account"]] > 0
    account = np.concatenate([rows["account"], rows["account"][more]])
    day = np.concatenate([rows["day"], rows["day"][more]])
    score = np.concatenate([rows["score"], np.full(int(more.sum()), -1)])
    user = 1 + rng.integers(0, 3, account.size)
    return account, day, np.zeros(account.size, np.int64), score, user


def _after_tickets(
    log: Log, last_day: int, rng: np.random.Generator, kind: int, mean: float, fall: float
) -> Requests:
    """Ask after a quarter of the resolved tickets, the day after; a third answers."""
    rows = log.read("tickets")
    due = (rows["resolved"] + 1 < last_day) & (rng.random(rows["account"].size) < 0.25)
    account, day = rows["account"][due], rows["resolved"][due] + 1
    late = rows["resolved"][due] - rows["opened"][due] > p.ACTIVITY.late_after
    answered = rng.random(day.size) < 0.35
    score = _rated(rng.normal(mean - fall * late, 0.9), kind, answered)
    return account, day, np.full(day.size, kind), score, 1 + rng.integers(0, 3, day.size)


def _rated(mood: Floats, kind: int, answered: Flags) -> Ints:
    score = np.clip(np.rint(mood), *SCALES[kind]).astype(np.int64)
    return np.where(answered, score, -1)
