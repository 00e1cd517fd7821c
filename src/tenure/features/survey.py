"""Surveys: what was answered, by how many, and what was asked in vain."""

from __future__ import annotations

from tenure.core.spec import Derived, Family, Feature

SOURCE = "survey_responses"


def _scored(kind: str, called: str) -> tuple[Feature, ...]:
    of_kind = f"lower(survey_type) = '{kind}'"
    return (
        Feature(
            f"{kind}_last", SOURCE, "last(score)", f"a last {called} score of {{value}}",
            where=of_kind, unit="score", direction=-1, lever=True,
        ),
        Feature(
            f"{kind}_mean", SOURCE, "avg(score)",
            f"a mean {called} score of {{value}} in the last {{window}}",
            where=of_kind, windows=(182, 365), unit="score", direction=-1, lever=True,
        ),
        Feature(
            f"days_since_{kind}", SOURCE, "days_since(max(responded_at))",
            f"{{value}} days since the last {called} answer", where=of_kind, unit="days",
        ),
    )


FEATURES: tuple[Feature | Derived, ...] = (
    *_scored("nps", "NPS"),
    *_scored("csat", "CSAT"),
    *_scored("ces", "CES"),
    Feature(
        "nps_detractors", SOURCE, "count(score)",
        "{value} NPS answers of 6 or less in the last {window}",
        where="lower(survey_type) = 'nps' and score <= 6", windows=(365,),
        unit="count", direction=1, lever=True,
    ),
    Feature(
        "surveys_sent", SOURCE, "count(sent_at)", "{value} surveys sent in the last {window}",
        windows=(182, 365), unit="count",
    ),
    Feature(
        "surveys_answered", SOURCE, "count(responded_at)",
        "{value} of the surveys sent in the last {window} answered",
        where="sent_at is not null", windows=(182, 365), unit="count", direction=-1, lever=True,
    ),
    Derived(
        "surveys_unanswered_182d", "surveys_sent_182d - surveys_answered_182d",
        "{value} surveys of the last 182 days left unanswered",
        unit="count", direction=1, lever=True, group="surveys_unanswered",
    ),
    Derived(
        "survey_response_rate_365d", "surveys_answered_365d / surveys_sent_365d",
        "{value} of the surveys of the last 365 days answered",
        unit="share", direction=-1, lever=True, group="survey_response_rate",
    ),
    Derived(
        "nps_change", "nps_last - nps_mean_365d",
        "a last NPS score {value} away from the year's mean", unit="score", direction=-1,
    ),
)

FAMILY = Family("survey", "Surveys", FEATURES)
