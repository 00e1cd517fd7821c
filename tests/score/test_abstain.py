from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tenure.core.sections import ScoreConfig
from tenure.score.abstain import NEW, NOTICE, STALE, THIN, abstention

SOURCES = ("tickets", "usage_events")
KNOWN = pd.DataFrame(
    {
        "notice_given": [False, False, False, False, True],
        "coverage": [1.0, 0.5, 0.0, np.nan, 0.0],
        "tenure_days": [400.0, 10.0, 10.0, 400.0, 10.0],
    },
    index=[3, 1, 4, 7, 5],
)

ASKED = {str(name): column for name, column in KNOWN.items()}


@pytest.mark.parametrize(
    ("settings", "stale", "expected"),
    [
        ({}, (), ["", "", THIN, "", NOTICE]),
        ({}, ("tickets",), ["", "", THIN, "", NOTICE]),
        ({}, SOURCES, [STALE, STALE, STALE, STALE, NOTICE]),
        ({"abstain_when_stale": False}, SOURCES, ["", "", THIN, "", NOTICE]),
        ({"min_tenure_days": 10}, (), ["", "", THIN, "", NOTICE]),
        ({"min_tenure_days": 11}, (), ["", NEW, NEW, "", NOTICE]),
        ({"min_coverage": 0.5}, (), ["", THIN, THIN, "", NOTICE]),
    ],
)
def test_the_first_reason_that_holds_is_given(
    settings: dict[str, float], stale: tuple[str, ...], expected: list[str]
) -> None:
    found = abstention(ASKED, SOURCES, stale, ScoreConfig(**settings))
    assert [reason or "" for reason in found] == expected


def test_models_without_events_have_nothing_that_could_be_stale() -> None:
    found = abstention(ASKED, (), (), ScoreConfig())
    assert found.tolist() == [None, None, THIN, None, NOTICE]
