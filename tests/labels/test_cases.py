"""Rows in, rows out: every case of `tests/cases/labels/*.yml`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from histories import moment, of_case
from tenure.core.config import LabelConfig
from tenure.engine.base import Engine
from tenure.labels.snapshots import snapshots
from tenure.labels.targets import TARGETS, label

CASES = Path(__file__).parents[1] / "cases" / "labels"


def _cases() -> list[Any]:
    found = []
    for path in sorted(CASES.glob("*.yml")):
        for case in yaml.safe_load(path.read_text(encoding="utf-8")):
            found.append(pytest.param(case, id=f"{path.stem}: {case['name']}"))
    return found


@pytest.mark.parametrize("case", _cases())
def test_case(engine: Engine, case: dict[str, Any]) -> None:
    history = of_case(engine, case)
    settings = LabelConfig(**case.get("labels", {}))
    for expected in case["expect"]:
        as_of = moment(expected.pop("as_of"))
        snaps = snapshots(history, [as_of])
        if expected.pop("asked", True) is False:
            assert snaps.empty, as_of
            continue
        assert len(snaps) == 1, as_of
        for name, target in TARGETS.items():
            for horizon in [None, *settings.horizons]:
                key = name if horizon is None else f"{name}_{horizon}"
                if key in expected:
                    got = label(history, snaps, target, settings, horizon=horizon).iloc[0]
                    _compare(got, expected.pop(key), f"{key} at {as_of:%Y-%m-%d}")
        for column, value in expected.items():
            assert _same(snaps.iloc[0][column], moment(value)), (column, as_of, snaps)


def _compare(got: pd.Series, expected: Any, where: str) -> None:
    """An expectation is a label, a drop reason, or a mapping of columns."""
    if isinstance(expected, str):
        assert got["drop_reason"] == expected, where
        assert pd.isna(got["label"]), where
        return
    wanted = expected if isinstance(expected, dict) else {"label": expected}
    assert got["drop_reason"] == "", where
    for column, value in wanted.items():
        assert _same(got[column], moment(value)), (where, column, got[column])


def _same(got: Any, wanted: Any) -> bool:
    if wanted is None:
        return bool(pd.isna(got))
    if isinstance(wanted, float):
        return bool(got == pytest.approx(wanted))
    return bool(got == wanted)
