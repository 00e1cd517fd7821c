"""How what is scored differs from the last prediction times whose outcome is known."""

from __future__ import annotations

from tenure.core.records.base import Figure, Record, SparseRecord, Time


class InputDrift(Record):
    """An input that is distributed unlike before."""

    column: str
    """Its name."""
    psi: float
    """Population stability index of the scored accounts against the last known times."""
    limit: float
    """The index that chance, or twice the largest such move of the past, stays below."""


class UnseenInput(SparseRecord):
    """Values of an input that the model never learnt from."""

    column: str
    """Its name; of words of events, which are no inputs, ``<table>.<column>``."""
    accounts: int
    """Scored accounts with such a value."""
    values: tuple[str, ...] | None = None
    """The words among them, the most frequent first; none of a number."""
    share: float | None = None
    """Share of the recent rows of that column, where it is one of events."""


class BookDrift(SparseRecord):
    """A scored book beside the last prediction times whose outcome is known."""

    since: Time
    """The first of these."""
    until: Time
    """The last."""
    accounts: int
    """Scored accounts with a probability."""
    mean_probability: float
    """Mean probability of these."""
    observed_rate: float
    """Share followed by the outcome at the times before."""
    predicted_rate: float
    """Mean probability at the times before."""
    gap: Figure
    """Mean probability minus the observed rate, with what accounts and months explain."""
    off: bool
    """Whether that is surely more than a tenth of the rate, or of the rest where it is rarer."""
    scores: InputDrift | None = None
    """Drift of the probabilities; None where they are distributed as before."""
    inputs: tuple[InputDrift, ...] = ()
    """Inputs that are distributed unlike before, the largest move first."""
    compared: int
    """Inputs that were compared."""
    unseen: tuple[UnseenInput, ...] = ()
    """Inputs with values that the model never learnt from, the most accounts first."""
