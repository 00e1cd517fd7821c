"""Account: what kind of company it is."""

from __future__ import annotations

from tenure.core.spec import Declared, Family, Feature, Unit

SOURCE = "accounts"

FEATURES: tuple[Declared, ...] = (
    Feature("segment", SOURCE, "last(segment)", "the segment {value}"),
    Feature("industry", SOURCE, "last(industry)", "the industry {value}"),
    Feature("country", SOURCE, "last(country)", "the country {value}"),
    Feature("employees", SOURCE, "last(employees)", "{value} employees", unit="count"),
    Feature(
        "account_age_days", SOURCE, "days_since(min(created_at))",
        "{value} days since the account was created", unit="days",
    ),
)

FAMILY = Family("account", "Account", FEATURES)


def attribute(name: str, *, number: bool) -> Feature:
    """Return the feature of a further attribute that the config declares constant."""
    called = name.replace("_", " ")
    unit: Unit = "number" if number else "text"
    return Feature(name, SOURCE, f'last("{name}")', f"the {called} {{value}}", unit=unit)
