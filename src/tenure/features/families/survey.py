"""Surveys: what was answered, by how many, how far apart, and what was asked in vain."""

from __future__ import annotations

from tenure.core.spec import Declared, Derived, Family, Feature

SOURCE = "survey_responses"
NORMAL = "(score - scale_low) / nullif(scale_high - scale_low, 0)"
NPS = "lower(survey_type) = 'nps'"


def _scored(kind: str, called: str) -> tuple[Declared, ...]:
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
        Derived(
            f"{kind}_change", f"{kind}_last - {kind}_mean_365d",
            f"a last {called} score {{value}} away from the year's mean",
            unit="score", direction=-1, lever=True, group=f"{kind}_last",
        ),
    )


FEATURES: tuple[Declared, ...] = (
    *_scored("nps", "NPS"),
    *_scored("csat", "CSAT"),
    *_scored("ces", "CES"),
    Feature(
        "nps_promoters", SOURCE, "count(score)",
        "{value} NPS answers of 9 or more in the last {window}",
        where=f"{NPS} and score >= 9", windows=(365,), unit="count", direction=-1, lever=True,
    ),
    Feature(
        "nps_detractors", SOURCE, "count(score)",
        "{value} NPS answers of 6 or less in the last {window}",
        where=f"{NPS} and score <= 6", windows=(365,),
        unit="count", direction=1, lever=True,
    ),
    Feature(
        "nps_answers", SOURCE, "count(score)", "{value} NPS answers in the last {window}",
        where=NPS, windows=(365,), unit="count", hidden=True,
    ),
    Feature(
        "satisfaction_mean", SOURCE, f"avg({NORMAL})",
        "a mean survey answer at {value} of its scale in the last {window}",
        windows=(182, 365), unit="share", direction=-1, lever=True, group="satisfaction",
    ),
    Feature(
        "satisfaction_last", SOURCE, f"last({NORMAL})",
        "a last survey answer at {value} of its scale",
        unit="share", direction=-1, lever=True, group="satisfaction",
    ),
    Feature(
        "satisfaction_lowest", SOURCE, f"min({NORMAL})",
        "a lowest survey answer at {value} of its scale in the last {window}",
        windows=(365,), unit="share", direction=-1, lever=True, group="satisfaction",
    ),
    Feature(
        "satisfaction_highest", SOURCE, f"max({NORMAL})", "a highest answer at {value}",
        windows=(365,), hidden=True,
    ),
    Feature(
        "respondents", SOURCE, "count(distinct respondent_id)",
        "{value} people who answered surveys in the last {window}",
        where="responded_at is not null",
        windows=(365,), unit="count", direction=-1, lever=True,
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
        "nps_365d", "100 * (nps_promoters_365d - nps_detractors_365d) / nps_answers_365d",
        "an NPS of {value} over the last 365 days",
        unit="number", direction=-1, lever=True, group="nps_last",
    ),
    Derived(
        "satisfaction_spread_365d", "satisfaction_highest_365d - satisfaction_lowest_365d",
        "survey answers of the last 365 days {value} of their scale apart",
        unit="share", lever=True, group="satisfaction",
    ),
    Derived(
        "satisfaction_trend", "satisfaction_mean_182d - satisfaction_mean_365d",
        "survey answers of the last 182 days {value} of their scale from those of a year",
        unit="share", direction=-1, lever=True, group="satisfaction",
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
)

FAMILY = Family("survey", "Surveys", FEATURES)
