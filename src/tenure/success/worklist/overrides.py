"""Bands that people set in place of the model's, on the work lists."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from tenure.core.flat_row import MAIN
from tenure.core.times import clock
from tenure.score.store.feedback import Override, standing_overrides

if TYPE_CHECKING:
    from tenure.score.store.lists import ListStore
    from tenure.score.store.store import StoredRun

LONGEST_REASON, LONGEST_AUTHOR = 200, 60


def overrides_during(store: ListStore, run: StoredRun) -> dict[str, Override]:
    """Return account → its override of churn while a run was the latest one.

    Of the latest run these are the overrides that stand at present; of an earlier one those that
    stood when the next was scored.
    """
    later = [one.scored_at for one in store.runs() if one.as_of > run.as_of]
    return standing_overrides(store, None, MAIN, min([clock(), *later]))


def with_overrides(book: pd.DataFrame, overrides: Mapping[str, Override]) -> pd.DataFrame:
    """Return a book with the bands that people set, and those of the model elsewhere.

    The book has `band`, by account_id; overrides go by account.

    Returns:
        The book with `override` (None where there is none) and `own_band`, that of the model.
    """
    items = [overrides.get(str(account)) for account in book.index]
    own = book["band"]
    bands = [item.band if item else band for item, band in zip(items, own, strict=True)]
    column = pd.Series(bands, index=book.index, dtype="str")
    override = pd.Series(items, index=book.index, dtype="object")
    return book.assign(band=column, own_band=own, override=override)


def reason(override: Override, own_band: Any) -> str:
    """Return who set the band of an account, until when and why."""
    why = textwrap.shorten(override.reason, LONGEST_REASON, placeholder=" …")
    who = textwrap.shorten(override.author, LONGEST_AUTHOR, placeholder=" …")
    model = "no band by the model" if pd.isna(own_band) else f"{own_band} by the model"
    until = f"{override.until.day} {override.until:%B %Y}"
    return f"put in the band {override.band} ({model}) by {who} until {until}: {why}"
