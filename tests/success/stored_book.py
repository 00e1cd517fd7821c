"""Scored runs written into a store by hand, so that a test knows every number in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
from sqlalchemy import insert, select

from tenure.score.store.database import writing
from tenure.score.store.encoding import (
    BLOCK,
    DRIVER,
    EncodedDrivers,
    packed_contributions,
)
from tenure.score.store.lists import ListStore
from tenure.score.store.schema import BLOCKS, RUN_ACCOUNTS, RUN_MODELS, RUNS, SCORES, WORDINGS

BASE = {"churn": 0.1, "expansion": 0.05}


@dataclass(frozen=True)
class Stored:
    """One account of a run: its chances and money, and the codes of what raises them."""

    churn: float | None = None
    expansion: float | None = None
    mrr: float = 100.0
    currency: str | None = "USD"
    owner: str | None = "ann"
    reasons: Sequence[str] = ("silence",)
    growth_reasons: Sequence[str] = ("seats",)
    notice: bool = False
    renews_at: datetime | None = None
    notice_by: datetime | None = None
    more: Mapping[str, Any] = field(default_factory=dict)


def add_stored(store: ListStore, as_of: datetime, accounts: Mapping[str, Stored]) -> None:
    """Write a complete run of accounts under a horizon of 90 days."""
    names = sorted(accounts)
    with writing(store.engine) as connection:
        facts = {"run_id": f"run {as_of}", "project": store.project, "kind": "batch"}
        times = dict.fromkeys(("as_of", "scored_at", "observed_until"), as_of)
        rest = {"config_digest": "c", "data_fingerprint": "d", "accounts": len(names)}
        row = facts | times | rest | {"complete": True}
        adding = insert(RUNS).values(row).returning(RUNS.c.run_no)
        number = connection.execute(adding).scalar_one()
        people = [
            {"run_no": number, "account_id": name, "owner": one.owner, "notice_by": one.notice_by}
            for name, one in accounts.items()
        ]
        connection.execute(insert(RUN_ACCOUNTS), people)
        for target, base in BASE.items():
            key = {"run_no": number, "target": target, "horizon": "90"}
            model = {"model_name": target, "model_version": "v1", "base_rate": base, "signals": []}
            connection.execute(insert(RUN_MODELS), key | model)
            rows = [
                key | _score(accounts[name], name, place, target)
                for place, name in enumerate(names)
            ]
            connection.execute(insert(SCORES), rows)
            codes = [_codes(accounts[name], target) for name in names]
            drivers = _packed(connection, codes)
            empty = packed_contributions(np.zeros((len(names), 1)))
            blocks = [
                key | {"block": block, "drivers": one, "contributions": other}
                for block, (one, other) in enumerate(zip(drivers, empty, strict=True))
            ]
            assert len(blocks) == -(-len(names) // BLOCK)
            connection.execute(insert(BLOCKS), blocks)


def _codes(one: Stored, target: str) -> Sequence[str]:
    return one.reasons if target == "churn" else one.growth_reasons


def _score(one: Stored, name: str, place: int, target: str) -> dict[str, Any]:
    chance = None if one.notice else one.churn if target == "churn" else one.expansion
    worth = None if chance is None else chance * one.mrr
    return {
        "account_id": name,
        "horizon_days": 90,
        "probability": chance,
        "lo": chance and chance / 2,
        "hi": chance and min(1.0, chance * 2),
        "rank": None,
        "band": None,
        "abstain_reason": "notice_given" if one.notice else None,
        "mrr": one.mrr,
        "currency": one.currency,
        "renews_at": one.renews_at,
        "amount_at_risk": worth if target == "churn" else None,
        "expected_amount": worth if target == "expansion" else None,
        "place": place,
    }


def _packed(connection: Any, codes: Sequence[Sequence[str]]) -> list[bytes]:
    """Return packed drivers whose sentences are about their codes; all else is left empty."""
    width = max(1, *map(len, codes))
    drivers = [
        {
            "code": code,
            "label": code,
            "sentence": code and f"{code.capitalize()} of 5",
            "value": "5",
            "value_num": 5.0,
            "contribution": 1.0 - place / 10,
        }
        for row in codes
        for place, code in enumerate([*row, *[None] * (width - len(row))])
    ]
    encoded = EncodedDrivers.of(pa.Table.from_pylist(drivers, DRIVER), width)
    numbers = []
    for wording in encoded.wordings:
        standing = select(WORDINGS.c.wording_no).where(WORDINGS.c.digest == wording.code)
        number = connection.scalar(standing)
        if number is None:
            adding = insert(WORDINGS).values(digest=wording.code, **wording._asdict())
            number = connection.execute(adding.returning(WORDINGS.c.wording_no)).scalar_one()
        numbers.append(number)
    return encoded.packed(np.asarray(numbers))
