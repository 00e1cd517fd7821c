"""Every registered feature passes every check, without a test of its own."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from functools import cache, partial
from typing import get_args

import numpy as np
import pandas as pd
import pytest

from contract.changes import CHANGES
from features.past import (
    CUTOFFS,
    EVERYTHING,
    MEMBERS,
    NOBODY,
    OPEN,
    Past,
    different,
    past,
    rows_of,
    whole_plan,
)
from oracle.oracle_features import Oracle
from tenure.core.spec import Derived, Feature, Ranked, Unit
from tenure.explain.wording import fact, label
from tenure.features.compute.matrix import FeatureMatrix
from tenure.features.families import FAMILIES
from tenure.features.plan.plan import resolve_plan

AT = CUTOFFS[7]
PLAN = whole_plan()
COLUMNS = list(PLAN.specs)
MEASURED = {item.spec.name: item for item in PLAN.measured}
DECLARED = {item.name: item for family in FAMILIES.values() for item in family.features}
VISIBLE = resolve_plan(FAMILIES.values(), EVERYTHING, members=MEMBERS).described
Pair = tuple[FeatureMatrix, FeatureMatrix]

every_feature = pytest.mark.parametrize("name", COLUMNS)
every_visible = pytest.mark.parametrize("name", VISIBLE)


def world() -> Past:
    return past(0, 120)


@cache
def base() -> FeatureMatrix:
    return world().matrix(CUTOFFS)


@cache
def known() -> FeatureMatrix:
    """The same, by a model that knows when each history began: it need not see all accounts."""
    return world().matrix(CUTOFFS, known_begins=base().begins)


def until(matrix: FeatureMatrix) -> FeatureMatrix:
    return rows_of(matrix, matrix.rows["as_of"] <= AT)


def _changed(change: str) -> Pair:
    after = CHANGES[change](world(), AT, random.Random(1))
    cutoffs = [cutoff for cutoff in CUTOFFS if cutoff <= AT]
    return until(base()), after.matrix(cutoffs, [*world().accounts, NOBODY])


def _other_accounts() -> Pair:
    """Half of the accounts keep their rows, the others' are dropped or doubled."""
    mine = set(world().accounts[::2])
    other = world().changed(
        lambda table, row: row if row["account_id"] in mine or hash_of(row) % 2 else None
    )
    rows = {name: items[::2] for name, items in world().rows.items()}
    other = other.plus(
        {
            name: [row for row in items if row["account_id"] not in mine]
            for name, items in rows.items()
        }
    )
    kept = known().rows["account_id"].isin(mine)
    after = other.matrix(CUTOFFS, sorted(mine), known_begins=base().begins)
    return rows_of(known(), kept), after


def hash_of(row: dict[str, object]) -> int:
    return len(repr(row))


def _other_order() -> Pair:
    return base(), world().shuffled(2).matrix(CUTOFFS, threads=2)


def _alone() -> Pair:
    """Accounts with the longest histories, one at a time, in an engine that knows no other."""
    counts = pd.Series(
        [row["account_id"] for items in world().rows.values() for row in items]
    ).value_counts()
    chosen = sorted([*counts.index[:2], "a03", "a11"])
    single = [
        world().only(name).matrix(CUTOFFS, [name], known_begins=base().begins) for name in chosen
    ]
    together = [rows_of(known(), known().rows["account_id"] == name) for name in chosen]
    return _stacked(together), _stacked(single)


def _one_cutoff() -> Pair:
    chosen = (CUTOFFS[0], CUTOFFS[2], CUTOFFS[5], CUTOFFS[-1])
    single = [world().matrix([cutoff]) for cutoff in chosen]
    together = [rows_of(base(), base().rows["as_of"] == cutoff) for cutoff in chosen]
    return _stacked(together), _stacked(single)


def _stacked(parts: list[FeatureMatrix]) -> FeatureMatrix:
    return FeatureMatrix(
        pd.concat([part.rows for part in parts], ignore_index=True),
        pd.concat([part.values for part in parts], ignore_index=True),
        parts[0].specs,
    )


CHECKS: dict[str, Callable[[], Pair]] = {
    **{name: partial(_changed, name) for name in CHANGES},
    "other_accounts": _other_accounts,
    "other_order": _other_order,
    "one_account_alone": _alone,
    "one_cutoff_alone": _one_cutoff,
}


@cache
def outcome(check: str) -> Pair:
    before, after = CHECKS[check]()
    keys = ["account_id", "as_of"]
    assert before.rows[keys].equals(after.rows[keys])
    assert len(before.rows)
    return before, after


@every_feature
@pytest.mark.parametrize("check", CHECKS)
def test_nothing_else_moves_a_feature(name: str, check: str) -> None:
    before, after = outcome(check)
    assert different(before.values[name], after.values[name]) == 0


@every_feature
def test_the_world_exercises_the_feature(name: str) -> None:
    assert until(base()).values[name].nunique() >= 2, "the checks above could not fail"


@every_feature
def test_an_empty_history_gives_the_declared_default(name: str) -> None:
    here = (base().rows["account_id"] == NOBODY) & (base().rows["as_of"] == AT)
    values = base().values.loc[here, name]
    expected = Oracle({}, OPEN, MEMBERS, base().begins).values(NOBODY, AT)[name]
    if expected is None:
        assert values.isna().all()
    else:
        assert (values == expected).all()


@every_feature
def test_a_feature_is_float32_or_words(name: str) -> None:
    column = base().values[name]
    if base().specs[name].text:
        assert column.dtype == object
        assert all(isinstance(value, str) for value in column.dropna())
    else:
        assert column.dtype == np.float32
        assert not np.isinf(column).any()


@every_visible
def test_a_feature_can_be_said(name: str) -> None:
    spec = VISIBLE[name]
    assert spec.unit in get_args(Unit)
    assert (spec.unit in {"text", "term"}) is spec.text
    for value in (None, "basic" if spec.text else 1234.5):
        said = fact(spec, value)
        assert not re.search(r"[{}]|  |\bnan\b", said), said
        assert said[0] == said[0].upper()
    if spec.window is not None:
        assert f"{spec.window} days" in spec.sentence, "the sentence does not say the window"


@every_visible
def test_a_feature_has_a_label(name: str) -> None:
    said = label(VISIBLE[name])
    assert re.fullmatch(r"[A-Z0-9`][^{}]*[\w)`]", said), said
    assert not re.search(r"\b(None|of|at|by|for|the|a)$", said), said


def test_names_and_labels_tell_features_apart() -> None:
    labels = pd.Series({name: label(spec) for name, spec in VISIBLE.items()})
    assert labels[labels.duplicated(keep=False)].to_dict() == {}
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in base().specs)


def _series() -> list[tuple[str, ...]]:
    """Columns of one feature over growing windows, whose values can only grow."""
    groups: dict[tuple[str, str | None], list[tuple[int, str]]] = {}
    for name, item in MEASURED.items():
        if item.spec.window is None or item.aggregate.kind not in {
            *("count", "distinct", "sum", "most")
        }:
            continue
        key = (item.feature.name, item.member)
        groups.setdefault(key, []).append((item.spec.window, name))
    return [tuple(name for _, name in sorted(found)) for found in groups.values() if found[1:]]


@pytest.mark.parametrize("names", _series(), ids=lambda names: names[0])
def test_additive_windows_grow(names: tuple[str, ...]) -> None:
    columns = base().values[list(names)].to_numpy()
    growth = np.diff(columns, axis=1)
    # Only a history too short leaves a window out, and then every longer one too.
    assert (np.isnan(columns[:, :-1]) <= np.isnan(columns[:, 1:])).all()
    assert not (growth < 0).any()
    assert (growth > 0).any()


def test_every_declaration_gives_columns() -> None:
    """No declaration is lost on a data set that has every column of the contract."""
    assert PLAN.absent == ()
    assert list(base().values) == COLUMNS
    found = {item.feature.name for item in PLAN.measured}
    found |= {item.declared.name for item in PLAN.computed}
    found |= {item.declared.name for item in PLAN.placed}
    assert found == set(DECLARED)
    assert {type(item) for item in DECLARED.values()} == {Feature, Derived, Ranked}


def test_hidden_parts_are_no_columns() -> None:
    parts = {name: item.hidden for name, item in DECLARED.items() if not isinstance(item, Ranked)}
    hidden = {item.spec.name for item in PLAN.measured if parts[item.feature.name]}
    assert hidden
    assert not hidden & set(VISIBLE)
    assert set(COLUMNS) > set(VISIBLE) - {item.spec.name for item in PLAN.placed}
