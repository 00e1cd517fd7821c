"""How many of some times lie at or before a moment: a search that is written as nested CASEs.

Places on the grid of time are told so; one search in an array gives what the branches would.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlglot import exp

from tenure.engine.small.expressions import PARAMETER, Expr, Node, Rows, Run, Scope
from tenure.engine.small.frames import Vec

_MOST = 2**31 - 1


@dataclass(frozen=True)
class Ranked:
    """A search.

    Attributes:
        moment: What is looked for.
        edges: Numbers of the time parameters, in the order in which they must ascend.
        leaves: What each stretch between them gives; the last one also where there is no moment.
    """

    moment: Node
    edges: tuple[int, ...]
    leaves: tuple[int, ...]


def ranked(node: Node) -> Ranked | None:
    """Return the search that a CASE is, None where it is none."""
    node = node.unnest()
    if isinstance(node, exp.Literal):
        whole = not node.is_string and node.name.isdigit() and int(node.name) <= _MOST
        return Ranked(node, (), (int(node.name),)) if whole else None
    ifs = node.args.get("ifs") if isinstance(node, exp.Case) and node.this is None else None
    if not ifs or len(ifs) != 1 or not isinstance(ifs[0].this, exp.LT):
        return None
    asked, default = ifs[0].this, node.args.get("default")
    edge = _parameter(asked.expression)
    if edge is None or default is None:
        return None
    below, above = ranked(ifs[0].args["true"]), ranked(default)
    if below is None or above is None:
        return None
    if any(part.edges and part.moment != asked.this for part in (below, above)):
        return None
    edges = (*below.edges, edge, *above.edges)
    return Ranked(asked.this, edges, below.leaves + above.leaves)


def _parameter(node: Node) -> int | None:
    """Return the number of a time parameter, None for anything else."""
    text = node.this if isinstance(node, exp.Cast) else None
    if not isinstance(text, exp.Literal) or not text.name.startswith(PARAMETER):
        return None
    return int(text.name[len(PARAMETER) :])


def rank(scope: Scope, search: Ranked, otherwise: Run, kind: str) -> Expr | None:
    """Return a search made ready, None where no time is looked for.

    Args:
        scope: The names that may be used.
        search: The search.
        otherwise: What computes the branches, for edges that do not ascend.
        kind: Kind of what is found, which holds every leaf.
    """
    moment = scope.expr(search.moment)
    if moment.kind != "TIMESTAMP":
        return None
    leaves, numbers = np.asarray(search.leaves, dtype=np.int64), search.edges
    plain = search.leaves == tuple(range(len(search.leaves)))

    def run(rows: Rows) -> Vec:
        edges = [rows.times[number] for number in numbers]
        if edges != sorted(edges):
            return otherwise(rows)
        data, there = moment.run(rows)
        if len(edges) == 1:
            found: Any = np.asarray(data >= edges[0]).astype(np.int64)
        else:
            found = np.array(edges).searchsorted(data, side="right")
        found = found if plain else leaves[found]
        return (found if there is None else np.where(there, found, leaves[-1])), None

    return Expr(kind, run)
