"""How what is scored differs from the last prediction times whose outcome is known."""

from __future__ import annotations

from tenure.core.records.base import Figure, Record, SparseRecord, Time


class InputDrift(Record):
    """An input that is distributed unlike before.

    Attributes:
        column: Its name.
        psi: Population stability index of the scored accounts against the last known times.
        limit: The index that chance, or twice the largest such move of the past, stays below.
    """

    column: str
    psi: float
    limit: float


class UnseenInput(SparseRecord):
    """Values of an input that the model never learnt from.

    Attributes:
        column: Its name; of words of events, which are no inputs, ``<table>.<column>``.
        accounts: Scored accounts with such a value.
        values: The words among them, the most frequent first; none of a number.
        share: Share of the recent rows of that column, where it is one of events.
    """

    column: str
    accounts: int
    values: tuple[str, ...] | None = None
    share: float | None = None


class BookDrift(SparseRecord):
    """A scored book beside the last prediction times whose outcome is known.

    Attributes:
        since: The first of these.
        until: The last.
        accounts: Scored accounts with a probability.
        mean_probability: Mean probability of these.
        observed_rate: Share followed by the outcome at the times before.
        predicted_rate: Mean probability at the times before.
        gap: Mean probability minus the observed rate, with what accounts and months explain.
        off: Whether that is surely more than a tenth of the rate, or of the rest where it is rarer.
        scores: Drift of the probabilities; None where they are distributed as before.
        inputs: Inputs that are distributed unlike before, the largest move first.
        compared: Inputs that were compared.
        unseen: Inputs with values that the model never learnt from, the most accounts first.
    """

    since: Time
    until: Time
    accounts: int
    mean_probability: float
    observed_rate: float
    predicted_rate: float
    gap: Figure
    off: bool
    scores: InputDrift | None = None
    inputs: tuple[InputDrift, ...] = ()
    compared: int
    unseen: tuple[UnseenInput, ...] = ()
