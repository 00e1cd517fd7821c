from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

import altair as alt
import pytest

from report.record import DRIVERS, HOSTILE, LABELS, evaluation, figure
from tenure.report.charts import accounts, look, target

CURVE = [row.model_dump() for row in evaluation().reliability]
SHARES: list[dict[str, Any]] = [
    {"share": 0.05, "chance": 0.07, **figure(0.15, 0.02)},
    {"share": 0.1, "chance": 0.13, "value": 0.25, "lo": None, "hi": None},
]
FOLDS = [{"as_of": f"2024-{month:02d}-01", **figure(0.7, 0.05)} for month in range(1, 7)]
GAINS = [
    {"baseline": name, "measure": measure, "side": side, **figure(value, 0.01)}
    for measure in ("AUC gain", "Log loss gain")
    for name, value, side in (("Base rate", 0.2, "better"), ("MRR", -0.1, "worse"))
]
STEPS = [
    {"days": days, "share": share, "n": n}
    for days, share, n in ((1, 0.4, 90), (30, 0.2, 80), (90, 0.05, 40))
]
WAYS = [
    {"way": "Random split", "honest": False, **figure(0.8, 0.02)},
    {"way": "Forward in time", "honest": True, **figure(0.7, 0.02)},
    {"way": "Accounts never seen", "honest": True, "value": 0.68, "lo": None, "hi": None},
]
MOVED = [
    {"label": "Days to renewal", "value": ": 26", "contribution": 0.41, "kind": "raises"},
    {"label": "Seats " * 20, "value": ": 12", "contribution": -0.2, "kind": "lowers"},
    {"label": "228 other features", "value": "", "contribution": 0.02, "kind": "all others"},
]
BOOK = [
    {"band": "low", "accounts": 900, "mrr_at_risk": 4_000.0},
    {"band": "high", "accounts": 40, "mrr_at_risk": 9_000.0},
]
EFFECT = [
    {"value": float(x), "mean": 0.1 * x, "lo": 0.1 * x - 0.2, "hi": 0.1 * x + 0.2, "n": 50}
    for x in range(6)
]
PLANS = [
    {"value": name, "mean": mean, "lo": mean - 0.1, "hi": mean + 0.1, "n": n}
    for name, mean, n in (("basic", 0.2, 80), ("pro", -0.1, 20))
]
CHARTS: dict[str, Callable[[str], dict[str, Any]]] = {
    "reliability": lambda title: target.reliability_chart(CURVE, title),
    "detection": lambda title: target.detection_chart(SHARES, title, "churns"),
    "detection of MRR": lambda title: target.detection_chart(
        [row | {"mrr": 0.3} for row in SHARES], title, "churns"
    ),
    "lead": lambda title: target.lead_chart(STEPS, title),
    "contrast": lambda title: target.contrast_chart(WAYS, title),
    "contributions": lambda title: accounts.contribution_chart(MOVED, title, "A note"),
    "bands": lambda title: accounts.band_chart(BOOK, title),
    "effect": lambda title: accounts.effect_chart(EFFECT, title, "Days to renewal"),
    "effect of words": lambda title: accounts.effect_chart(PLANS, title, "Plan"),
    "folds": lambda title: target.fold_chart(FOLDS, figure(0.7, 0.02), title),
    "one fold": lambda title: target.fold_chart(FOLDS[:1], figure(0.7, 0.02), title),
    "baselines": lambda title: target.baseline_chart(GAINS, title),
    "drivers": lambda title: target.driver_chart(DRIVERS, title),
    "labels": lambda title: target.label_chart(LABELS["by_cutoff"], title, "churn"),
}


def texts(svg: str) -> str:
    """All words of a picture."""
    return " ".join(element.text or "" for element in ET.fromstring(svg).iter())


@pytest.mark.parametrize("months", [3, 5, 12, 40, 120])
def test_no_month_is_named_twice(months: int) -> None:
    folds = [
        {"as_of": f"{2022 + n // 12}-{n % 12 + 1:02d}-01", **figure(0.7, 0.05)}
        for n in range(months)
    ]
    words = texts(look.to_svg(target.fold_chart(folds, figure(0.7, 0.02), ""), "folds"))
    named = re.findall(r"[A-Z][a-z]{2} 20[0-9]{2}", words)
    assert len(named) == len(set(named))
    assert 2 <= len(named) <= 9


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_is_a_picture_that_says_its_finding(name: str) -> None:
    svg = look.to_svg(CHARTS[name]("The finding"), name)
    root = ET.fromstring(svg)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert float(root.attrib["width"]) <= look.WIDE + 20
    assert "The finding" in texts(svg)


@pytest.mark.parametrize("name", CHARTS)
def test_a_spec_keeps_to_vega_lite(name: str) -> None:
    spec = CHARTS[name]("t")
    assert alt.Chart.from_dict(spec, validate=True)


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_is_a_function_of_its_rows(name: str) -> None:
    assert CHARTS[name]("t") == CHARTS[name]("t")


@pytest.mark.parametrize("name", CHARTS)
def test_a_picture_refers_to_nothing_outside(name: str) -> None:
    svg = look.to_svg(CHARTS[name]("t"), name)
    assert svg.count("http") == svg.count('xmlns="http://www.w3.org/2000/svg"') == 1
    assert "href" not in svg


def test_ids_differ_between_pictures_of_one_page() -> None:
    ids = [
        {element.attrib["id"] for element in ET.fromstring(svg).iter() if "id" in element.attrib}
        for svg in (look.to_svg(CHARTS["folds"]("t"), name) for name in ("a", "b"))
    ]
    assert not ids[0] & ids[1]


def test_hostile_words_stay_words() -> None:
    rows = [row | {"label": HOSTILE} for row in DRIVERS]
    svg = look.to_svg(target.driver_chart(rows, HOSTILE), HOSTILE)
    assert "<script" not in svg
    assert HOSTILE in texts(svg)


def test_numbers_in_words_keep_their_digits() -> None:
    assert "0.12345" in texts(look.to_svg(CHARTS["folds"]("About 0.12345"), "n"))


def test_two_drivers_of_one_name_are_two_bars() -> None:
    rows = [row | {"label": "The same"} for row in DRIVERS[:3]]
    assert texts(look.to_svg(target.driver_chart(rows, "t"), "n")).count("The same") == 3


def test_a_cutoff_without_known_outcomes_has_no_rate() -> None:
    upper = target.label_chart(LABELS["by_cutoff"], "t", "churn")["vconcat"][0]
    data = upper.get("data") or upper["layer"][0]["data"]
    rates = [row["rate"] for row in data["values"]]
    assert len(rates) == 24
    assert None not in rates


def test_a_picture_for_a_readme() -> None:
    assert look.to_png(CHARTS["detection"]("t"), 1).startswith(b"\x89PNG")


def test_drivers_stand_in_their_order_with_their_sign() -> None:
    words = texts(look.to_svg(CHARTS["contributions"]("t"), "n"))
    assert words.index("Days to renewal: 26") < words.index("Seats …: 12")
    assert "+0.41" in words
    assert "−0.20" in words


def test_bands_are_listed_from_high_to_low_and_none_is_invented() -> None:
    words = texts(look.to_svg(CHARTS["bands"]("t"), "n"))
    assert words.index("high") < words.index("low")
    assert "medium" not in words
    assert "9,000" in words


def test_a_notebook_gets_a_picture_that_needs_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    with alt.renderers.enable("default"):
        shown = look.picture(CHARTS["bands"]("The finding"))._repr_mimebundle_()
        assert isinstance(shown, dict)
        assert "The finding" in texts(shown["image/svg+xml"])
        assert alt.renderers.active == "svg"
    with alt.renderers.enable("mimetype"):  # whoever chose a renderer keeps it
        look.picture(CHARTS["bands"]("t"))
        assert alt.renderers.active == "mimetype"
