"""Surveys: what was answered, by how many, how far apart, and what was asked in vain."""

from __future__ import annotations

from tenure.core.spec import Declared, Derived, Family, Feature, Signal

SOURCE = "survey_responses"
NORMAL = "(score - scale_low) / nullif(scale_high - scale_low, 0)"
NPS = "lower(survey_type) = 'nps'"


SIGNALS = (
    Signal("survey_answers", "Survey answers", "Ask what would have to change for a better one."),
    Signal("survey_response", "Response to surveys", "Ask whether surveys reach the right people."),
)


def _scored(kind: str, called: str, scale: str = "") -> tuple[Declared, ...]:
    of_kind = f"lower(survey_type) = '{kind}'"
    return (
        Feature(
            f"{kind}_last", SOURCE, "last(score)", f"a last {called} answer of {{value}}{scale}",
            where=of_kind, unit="score", direction=-1, lever=True, group="survey_answers",
            missing=f"never answered {called} so far", since=f"days_since_{kind}",
            past=(f"{kind}_mean_365d", "{past} on average over a year"),
        ),
        Feature(
            f"{kind}_mean", SOURCE, "avg(score)",
            f"a mean {called} answer of {{value}}{scale} in the last {{window}}",
            where=of_kind, windows=(182, 365), unit="score", direction=-1, lever=True,
            group="survey_answers", missing=f"no answer to {called} in the last {{window}}",
        ),
        Feature(
            f"days_since_{kind}", SOURCE, "days_since(max(responded_at))",
            f"{{value}} days since the last {called} answer", where=of_kind, unit="days",
            group="survey_answers", zero=f"{called} answered on the last day",
            missing=f"never answered {called} so far",
        ),
        Derived(
            f"{kind}_change", f"{kind}_last - {kind}_mean_365d",
            f"a last {called} answer {{value}} {{above|below}} the year's mean",
            unit="score", direction=-1, lever=True, group="survey_answers",
            zero=f"a last {called} answer at the year's mean",
            missing=f"no answer to {called} in a year",
        ),
    )


FEATURES: tuple[Declared, ...] = (
    *_scored("nps", "NPS", " of 10"),
    *_scored("csat", "CSAT"),
    *_scored("ces", "CES"),
    Feature(
        "nps_promoters", SOURCE, "count(score)",
        "{value} NPS answer(s) of 9 or more in the last {window}",
        where=f"{NPS} and score >= 9", windows=(365,), unit="count", direction=-1, lever=True,
        group="survey_answers",
    ),
    Feature(
        "nps_detractors", SOURCE, "count(score)",
        "{value} NPS answer(s) of 6 or less in the last {window}",
        where=f"{NPS} and score <= 6", windows=(365,),
        unit="count", direction=1, lever=True, group="survey_answers",
    ),
    Feature(
        "nps_answers", SOURCE, "count(score)", "{value} NPS answer(s) in the last {window}",
        where=NPS, windows=(365,), unit="count", hidden=True,
    ),
    Feature(
        "satisfaction_mean", SOURCE, f"avg({NORMAL})",
        "a mean survey answer at {value} of its scale in the last {window}",
        windows=(182, 365), unit="share", direction=-1, lever=True, group="survey_answers",
        missing="no survey answered in the last {window}",
    ),
    Feature(
        "satisfaction_last", SOURCE, f"last({NORMAL})",
        "a last survey answer at {value} of its scale",
        unit="share", direction=-1, lever=True, group="survey_answers",
        missing="no survey answered so far",
        past=("satisfaction_mean_365d", "{past} on average over a year"),
    ),
    Feature(
        "satisfaction_lowest", SOURCE, f"min({NORMAL})",
        "a lowest survey answer at {value} of its scale in the last {window}",
        windows=(365,), unit="share", direction=-1, lever=True, group="survey_answers",
        missing="no survey answered in the last {window}",
    ),
    Feature(
        "satisfaction_highest", SOURCE, f"max({NORMAL})", "a highest answer at {value}",
        windows=(365,), hidden=True,
    ),
    Feature(
        "respondents", SOURCE, "count(distinct respondent_id)",
        "{value} (person|people) who answered surveys in the last {window}",
        where="responded_at is not null",
        windows=(365,), unit="count", direction=-1, lever=True, group="survey_response",
    ),
    Feature(
        "surveys_sent", SOURCE, "count(sent_at)", "{value} survey(s) sent in the last {window}",
        windows=(182, 365), unit="count", group="survey_response",
    ),
    Feature(
        "surveys_answered", SOURCE, "count(responded_at)",
        "{value} survey(s) sent in the last {window} and answered",
        where="sent_at is not null", windows=(182, 365), unit="count", direction=-1, lever=True,
        group="survey_response",
    ),
    Derived(
        "nps_365d", "100 * (nps_promoters_365d - nps_detractors_365d) / nps_answers_365d",
        "an NPS of {value} (from -100 to 100) over the last 365 days",
        unit="score", direction=-1, lever=True, group="survey_answers",
        missing="no answer to NPS in the last 365 days",
    ),
    Derived(
        "satisfaction_spread_365d", "satisfaction_highest_365d - satisfaction_lowest_365d",
        "survey answers of the last 365 days spread over {value} of their scale",
        unit="share", lever=True, group="survey_answers",
        zero="all survey answers of the last 365 days alike",
        missing="no survey answered in the last 365 days",
    ),
    Derived(
        "satisfaction_trend", "satisfaction_mean_182d - satisfaction_mean_365d",
        "survey answers of the last 182 days {value} of their scale {above|below} those of a year",
        unit="share", direction=-1, lever=True, group="survey_answers",
        zero="survey answers of the last 182 days like those of a year",
        missing="no survey answered in the last 182 days",
    ),
    Derived(
        "surveys_unanswered_182d", "surveys_sent_182d - surveys_answered_182d",
        "{value} survey(s) of the last 182 days left unanswered",
        unit="count", direction=1, lever=True, group="survey_response",
    ),
    Derived(
        "survey_response_rate_365d", "surveys_answered_365d / surveys_sent_365d",
        "{value} of the surveys of the last 365 days answered",
        unit="share", direction=-1, lever=True, group="survey_response",
        missing="no survey sent in the last 365 days",
    ),
)

FAMILY = Family("survey", "Surveys", FEATURES, SIGNALS)
