"""Checks that need to know what is loaded; a request's own form is checked in `requests`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from tenure.core.config import Config
from tenure.core.errors import Problem, suggestion
from tenure.core.times import show
from tenure.score.model import Model
from tenure.service.api.problems import Refusal, shown
from tenure.service.api.tables import Loaded

EVERY = "all"
Posted = Mapping[str, Sequence[Mapping[str, Any]]]


def check_count(size: int, config: Config, field: str) -> None:
    """Refuse more accounts or rows than one request may ask for."""
    most = config.service.max_accounts
    if size > most:
        fix = "ask in parts, or raise service.max_accounts in the config"
        raise Refusal(Problem(field, f"must not hold more than {most}", str(size), fix))


def check_ids(tables: Posted) -> None:
    """Refuse posted ids that the tables cannot tell apart from others, or cannot hold."""
    for table, rows in tables.items():
        for place, row in enumerate(rows):
            for name, value in row.items():
                if name.endswith("_id") and isinstance(value, str) and "\0" in value:
                    field = f"tables.{table}[{place}].{name}"
                    rule = "must not hold the character NUL"
                    raise Refusal(Problem(field, rule, shown(value), "correct the id"))
    ids = [row.get("account_id") for row in tables.get("accounts", ())]
    plain: dict[str, str] = {}
    for value in sorted({one for one in ids if isinstance(one, str)}):
        other = plain.setdefault(value.strip(), value)
        if other != value:
            rule = f"differs from `{shown(other)}` by spaces alone, which are no part of an id"
            fix = "give each account an id of its own"
            raise Refusal(Problem("tables.accounts.account_id", rule, shown(value), fix))


def check_targets(
    wanted: Sequence[str] | None, known: Collection[str], field: str = "targets"
) -> list[str]:
    """Return the targets asked for, all that are known by default; refuse one that is not."""
    for name in wanted or ():
        if name not in known:
            rule = "is not a target with a model"
            raise Refusal(Problem(field, rule, name, suggestion(name[:100], known)), status=404)
    return list(known) if wanted is None else list(dict.fromkeys(wanted))


def check_horizon(
    wanted: int | str | None, models: Mapping[str, Model], config: Config
) -> int | str:
    """Return the horizon asked for in days, or ``all``; refuse one that no model knows."""
    if wanted == EVERY:
        return EVERY
    known = {name for model in models.values() for name in model.horizons}
    main = config.labels.horizon_days
    days = main if wanted is None else int(wanted)
    if str(days) not in known | {str(main)}:
        choices = ", ".join(sorted((name for name in known if name.isdigit()), key=int))
        fix = f"one of {choices}, or all"
        raise Refusal(Problem("horizon_days", "is not a horizon of the models", str(days), fix))
    return days


def check_time(as_of: datetime | None, loaded: Loaded) -> datetime:
    """Return the prediction time, by default where observation stopped; refuse one outside."""
    first, last = loaded.first, loaded.dataset.observed_until
    if as_of is not None and not first < as_of <= last:
        rule = f"must be after {show(first)} and not after {show(last)}, where observation stopped"
        raise Refusal(Problem("as_of", rule, show(as_of), "ask for a time inside the data"))
    return as_of or last


def check_accounts(ids: Mapping[str, str], loaded: Loaded) -> None:
    """Refuse ids that the accounts table does not have; `ids` is field → id."""
    unknown = {field: name for field, name in ids.items() if name not in loaded.accounts}
    if unknown:
        problems = [
            Problem(field, "is not an account of the loaded tables", name, "check the id")
            for field, name in unknown.items()
        ]
        raise Refusal(*problems, status=404)
