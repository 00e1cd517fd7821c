"""Formulas of one form, computed at once, give what each gives alone."""

from __future__ import annotations

import numpy as np
import pytest

from features.past import whole_plan
from tenure.core.fragments import evaluate, form_of

VALUES = (0.0, 1.0, -2.5, 1e-9, 364.0, np.nan)


@pytest.mark.parametrize("seed", range(20))
def test_every_formula_gives_what_it_gives_alone(seed: int) -> None:
    plan, dice = whole_plan(), np.random.default_rng(seed)
    read = set().union(*(form_of(item.formula)[1] for item in plan.computed))
    known = {name: dice.choice(VALUES, size=1) for name in sorted(read)}
    alone, together = dict(known), dict(known)
    for item in plan.computed:
        alone[item.spec.name] = np.broadcast_to(evaluate(item.formula, alone), (1,))
    for form in plan.forms:
        together |= zip(form.names, form.values(together).reshape(-1, 1), strict=True)
    assert alone.keys() == together.keys()
    assert {name: value.tobytes() for name, value in alone.items()} == {
        name: np.asarray(value, dtype=np.float64).tobytes() for name, value in together.items()
    }


def test_few_forms_serve_many_formulas() -> None:
    plan = whole_plan()
    assert len(plan.forms) < len(plan.computed) / 2
    assert sorted(name for form in plan.forms for name in form.names) == sorted(
        item.spec.name for item in plan.computed
    )
