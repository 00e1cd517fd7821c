"""How often the same past has been used to choose a model, in one sentence."""

from __future__ import annotations

from tenure.core.records.promotion import PastUses
from tenure.report.sentences.formatting import counted, day

FEW = 3
"""Uses up to which nothing is made of them."""


def past_uses(used: PastUses) -> str:
    """Return how many contests and recipes have been judged by the outcomes of some past times."""
    contests = counted(used.contests, "contest") if used.contests else "no contest"
    recipes = counted(used.recipes, "recipe")
    text = (
        f"The outcomes of {day(used.first)} to {day(used.last)} have decided {contests} and tested "
        f"{recipes}"
    )
    if used.contests + used.recipes <= FEW:
        return f"{text}."
    return f"{text}: the best of many on the same past looks better there than it is."
