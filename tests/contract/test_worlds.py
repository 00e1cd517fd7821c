"""All checks at once on random worlds; hundreds of them under the marker ``acceptance``."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.changes import CHANGES
from features.compare import disagreements
from features.past import NOBODY, awkward, differences, load, rows_of
from worlds import random_world

SEEDS = st.integers(0, 2**31)


def check_world(seed: int) -> None:
    """Check one world: the oracle, every change, the order of rows, one account, one cut-off."""
    dice = random.Random(seed)
    world = load(random_world(seed, accounts=8, months=14))
    cutoffs = awkward(world, seed, 5)
    assert disagreements(world, cutoffs) == {}
    at = dice.choice(cutoffs)
    before = [cutoff for cutoff in cutoffs if cutoff <= at]
    accounts = [*world.accounts, NOBODY]
    whole = world.matrix(before)
    for change in CHANGES.values():
        changed = change(world, at, dice).shuffled(seed)
        assert differences(whole, changed.matrix(before, accounts)) == {}
    # A model knows when each history began; an account alone does not show it.
    begins = whole.begins
    known = world.matrix(before, known_begins=begins)
    chosen = dice.choice(world.accounts)
    alone = world.only(chosen).matrix([at], [chosen], known_begins=begins)
    here = (known.rows["account_id"] == chosen) & (known.rows["as_of"] == at)
    assert differences(rows_of(known, here), alone) == {}


@given(SEEDS)
@settings(max_examples=3, derandomize=True)
def test_a_few_worlds(seed: int) -> None:
    check_world(seed)


@pytest.mark.acceptance
@pytest.mark.timeout(7200)
@given(SEEDS)
@settings(max_examples=200)
def test_hundreds_of_worlds(seed: int) -> None:
    check_world(seed)
