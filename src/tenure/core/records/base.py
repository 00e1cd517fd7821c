"""What all records are, and figures with an interval."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
)

from tenure.core.sections import one_line
from tenure.core.times import show


def _time(value: Any) -> Any:
    return show(value) if isinstance(value, datetime) else value


Time = Annotated[str, BeforeValidator(_time)]
"""A time as `show` gives it: a date at midnight, else ISO 8601 in UTC."""


class Record(BaseModel):
    """Base of all records: frozen, without NaN, and unknown fields are errors.

    What a field means stands below it; its JSON schema says so too.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        from_attributes=True,
        serialize_by_alias=True,
        use_attribute_docstrings=True,
        json_schema_extra=one_line,
        validate_by_name=True,
    )

    @classmethod
    def from_json(cls, values: Any) -> Self:
        """Return the record that JSON values describe.

        Raises:
            ValueError: Naming the first field that breaks a rule.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            item = error.errors()[0]
            place = ".".join(map(str, item["loc"]))
            raise ValueError(f"{place}: {item['msg']}") from None

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON values."""
        return self.model_dump(mode="json", by_alias=True)


class Figure(Record):
    """A measured number."""

    value: float | None = None
    """The number; None where it cannot be measured."""
    lo: float | None = None
    """Lower end of its interval; None without one."""
    hi: float | None = None

    @property
    def above(self) -> bool:
        """Whether the whole interval lies above 0."""
        return self.lo is not None and self.lo > 0

    @property
    def below(self) -> bool:
        """Whether the whole interval lies below 0."""
        return self.hi is not None and self.hi < 0

    def times(self, factor: float) -> Figure:
        """Return the figure as a multiple; a negative factor swaps the ends.

        >>> Figure(value=0.5, lo=0.25, hi=1).times(-2)
        Figure(value=-1.0, lo=-2.0, hi=-0.5)
        """
        value, *ends = (
            None if end is None else end * factor for end in (self.value, self.lo, self.hi)
        )
        lo, hi = ends if factor >= 0 else reversed(ends)
        return Figure(value=value, lo=lo, hi=hi)


UNMEASURED = Figure()


class SparseRecord(Record):
    """A record whose JSON leaves out what is None, and figures that were not measured."""

    @model_serializer(mode="wrap")
    def _present(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        values: Mapping[str, Any] = handler(self)
        nothing = UNMEASURED.model_dump()
        return {name: value for name, value in values.items() if value not in (None, nothing)}
