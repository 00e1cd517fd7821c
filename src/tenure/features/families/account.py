"""Account: what kind of company it is."""

from __future__ import annotations

from tenure.core.spec import Declared, Family, Feature, Signal, Unit

SOURCE = "accounts"

SIGNALS = (
    Signal("segment", "Segment"),
    Signal("industry", "Industry"),
    Signal("country", "Country"),
    Signal("size", "Size of the account"),
)

FEATURES: tuple[Declared, ...] = (
    Feature("segment", SOURCE, "last(segment)", "the segment {value}", missing="no segment"),
    Feature("industry", SOURCE, "last(industry)", "the industry {value}", missing="no industry"),
    Feature("country", SOURCE, "last(country)", "the country {value}", missing="no country"),
    Feature(
        "employees", SOURCE, "last(employees)", "{value} employee(s)", unit="count", group="size",
        missing="the number of employees not known",
    ),
    Feature(
        "account_age_days", SOURCE, "days_since(min(created_at))",
        "{value} days since the account was created", unit="days", group="tenure",
        zero="created on the last day", missing="its creation not known",
    ),
)

FAMILY = Family("account", "Account", FEATURES, SIGNALS)


def attribute(name: str, *, number: bool) -> Feature:
    """Return the feature of a further attribute that the config declares constant."""
    called = name.replace("_", " ")
    unit: Unit = "number" if number else "text"
    return Feature(
        name, SOURCE, f'last("{name}")', f"the {called} {{value}}", unit=unit,
        missing=f"no {called}",
    )
