from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from report.record import HOSTILE, STATES, changed, record, refused, usable
from tenure.core.records.base import Figure
from tenure.core.records.scorecards import HealthComparison, RankedBy
from tenure.core.records.training import TrainingRecord
from tenure.report.html import render

VOID = {"meta", "br", "link", "img", "input", "hr"}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


class Page(HTMLParser):
    """A page as tags and words; fails where a tag is not closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, words: str) -> None:
        if self.open[-1:] != ["style"]:
            self.words.append(words)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.fixture(scope="module")
def whole() -> str:
    return render(record(dirty=True))


@pytest.fixture(scope="module")
def page(whole: str) -> Page:
    return Page(whole)


def test_the_verdicts_come_first(page: Page) -> None:
    start = page.text.index("Model report · acme")
    verdict = "Churn within 90 days: usable. Expansion within 90 days: usable, but adds nothing"
    assert page.text.index(verdict) - start < 40
    assert page.text.index("Loses to logistic regression") < page.text.index("How good was it?")


def test_the_contents_lead_to_every_section(page: Page) -> None:
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    links = {attrs["href"] for attrs in page.all("a")}
    assert len(ids) == len(set(ids))
    assert links == {f"#{attrs['id']}" for attrs in page.all("section") if "id" in attrs}
    assert links >= {"#target-churn", "#target-expansion", "#data", "#features", "#reading"}


def test_nothing_is_loaded_from_elsewhere(whole: str, page: Page) -> None:
    assert set(re.findall(r"https?://[^\s\"'<)]+", whole)) == {"http://www.w3.org/2000/svg"}
    assert not page.all("script") + page.all("link") + page.all("img") + page.all("iframe")
    assert "@import" not in whole
    assert not re.search(r"url\((?!#)", whole)
    assert not [attrs for _, attrs in page.tags if {"src", "srcset", "xlink:href"} & set(attrs)]
    policies = [attrs["content"] for attrs in page.all("meta") if "http-equiv" in attrs]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]


def test_every_picture_has_words_for_those_who_cannot_see_it(page: Page) -> None:
    pictures = page.all("figure")
    assert len(pictures) == 16
    assert all(len(attrs["aria-label"] or "") > 40 for attrs in pictures)


def test_it_is_small(whole: str) -> None:
    assert len(whole.encode()) < 2**20


def test_it_fits_paper_and_darkness(whole: str) -> None:
    assert "@media print" in whole
    assert "@media screen and (prefers-color-scheme: dark)" in whole


def test_red_warnings_stand_before_the_results_and_first_among_the_tables(page: Page) -> None:
    red = page.text.index("77 % of the usage rows lie outside their subscription")
    assert red < page.text.index("How good was it?")
    detail = page.text[page.text.index("Observation stopped at") :]
    assert detail.index("Red 77 %") < detail.index("Negative mrr")
    assert len([a for a in page.all("article") if "bad" in (a["class"] or "").split()]) == 2


def test_clean_data_raises_no_alarm() -> None:
    clean = Page(render(record({"churn": refused()})))
    assert not [attrs for attrs in clean.all("section") if attrs.get("class") == "alarm"]


def test_the_data_section_says_all(page: Page) -> None:
    for words in (
        "Duplicate key",
        "mrr must be 0 or more",
        "csat_score (needs its clock csat_at)",
        "resolved_at: opened_at + 1 day + resolution_hours",
        "Not found: invoices, touchpoints",
        "csm_tier not a feature",
        "there is no table `invoices`",
        "2025-07-01 (the day after the last event)",
    ):
        assert words in page.text


def test_performance_stands_beside_base_rate_and_baselines(page: Page) -> None:
    heads = (
        "Measure Model Base rate Days since last event Time as a customer MRR "
        "Hand-weighted score Logistic regression"
    )
    assert heads in page.text
    assert "0.720 [0.695, 0.745]" in page.text
    assert "In churn, honest values lie mostly between" in page.text


def test_the_tenth_driver_is_shown_and_the_eleventh_is_not(page: Page) -> None:
    assert "Distinct events used in the last 28 days" in page.text
    assert "An eleventh that no report shows" not in page.text
    assert "They are not its causes" in page.text


@pytest.mark.parametrize("state", STATES)
def test_every_state_has_a_page(state: str) -> None:
    page = Page(render(record({"churn": STATES[state]()})))
    assert ("How good was it?" in page.text) == (state not in {"no_claim", "refused"})
    assert "What was learnt from?" in page.text


def test_a_record_read_back_gives_the_same_page(whole: str) -> None:
    text = json.dumps(record(dirty=True).to_json(), sort_keys=True)
    assert render(TrainingRecord.from_json(json.loads(text))) == whole


def test_targets_and_tables_stand_in_their_usual_order() -> None:
    shrunk = refused(event="contraction", events="contractions")
    found = record({"churn": refused(), "contraction": shrunk})
    text = Page(render(changed(found, {"config.targets": ["contraction", "churn"]}))).text
    assert text.index("Contraction within") < text.index("Churn within")
    assert (
        text.index("accounts 1,500") < text.index("subscriptions 5,210") < text.index("tickets 9")
    )


KINDS = {"status", "cadence", "config"}
"""Parts of a record that hold words of a list, or are checked by the config."""


def hostile(value: Any) -> Any:
    """The same shape with every free text hostile but dates."""
    if isinstance(value, dict):
        return {key: item if key in KINDS else hostile(item) for key, item in value.items()}
    if isinstance(value, list):
        return [hostile(item) for item in value]
    dated = isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\d", value)
    return HOSTILE if isinstance(value, str) and not dated else value


def test_every_text_of_a_record_is_escaped() -> None:
    entry, found = hostile(usable().to_json()), hostile(record(dirty=True).to_json())
    for part in ("baselines", "differences"):
        entry["evaluation"][part][HOSTILE] = entry["evaluation"][part]["mrr"]
    entry["labels"]["dropped"] = {HOSTILE: 3}
    table = found["data"]["tables"]["tickets"] | {
        "rejected": {HOSTILE: 1},
        "emptied": {HOSTILE: {HOSTILE: 1}},
        "unused": {HOSTILE: HOSTILE},
        "assumptions": {HOSTILE: HOSTILE},
    }
    found["data"]["tables"] = {HOSTILE: table}
    found["targets"] = {HOSTILE: entry}
    found["features"]["families"] = {HOSTILE: 1}
    found["config"]["data"]["path"] = HOSTILE
    page = Page(render(TrainingRecord.from_json(found)))
    assert not page.all("script")
    assert page.text.count(HOSTILE) > 40
    assert HOSTILE.replace("7*7", "49") not in page.text


def browser() -> str | None:
    """A Chromium, where there is one."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def run_browser(*arguments: str, profile: Path) -> subprocess.CompletedProcess[str]:
    """Run a browser that reaches no network, and logs what its console says."""
    program = browser()
    if program is None:
        pytest.skip("there is no Chromium")
    return subprocess.run(
        [
            program,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--no-first-run",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            "--proxy-server=127.0.0.1:9",
            "--enable-logging=stderr",
            "--v=0",
            f"--user-data-dir={profile}",
            *arguments,
        ],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )


def requests(log: Path) -> set[str]:
    """The addresses a page asked for; those of the browser's own services are left out."""
    found = re.findall(r'"url":"(https?://[^"]*)"', log.read_text(encoding="utf-8"))
    own = re.compile(r"https?://[^/]*\b(google\w*|gstatic|gvt1|chrom\w+)\b")
    return {url for url in found if not own.match(url)}


@pytest.mark.browser
def test_a_browser_without_a_network_shows_it(tmp_path: Path, whole: str) -> None:
    file, log = tmp_path / "report.html", tmp_path / "net.json"
    file.write_text(whole, encoding="utf-8")
    answer = run_browser(
        f"--log-net-log={log}", "--dump-dom", file.as_uri(), profile=tmp_path / "profile"
    )
    shown = Page(answer.stdout)
    assert len(shown.all("svg")) == 16
    assert "Churn within 90 days: usable" in shown.text
    assert "CONSOLE" not in answer.stderr
    assert requests(log) == set()


@pytest.mark.browser
def test_a_browser_would_have_told(tmp_path: Path) -> None:
    file, log = tmp_path / "bad.html", tmp_path / "net.json"
    text = "<!DOCTYPE html><script src='http://example.test/x.js'></script><p>x</p>"
    file.write_text(text + "<script>throw new Error('seen')</script>", encoding="utf-8")
    answer = run_browser(
        f"--log-net-log={log}", "--dump-dom", file.as_uri(), profile=tmp_path / "profile"
    )
    assert "CONSOLE" in answer.stderr
    assert "http://example.test/x.js" in requests(log)


def test_a_weighted_health_score_stands_beside_the_model() -> None:
    figure = Figure(value=0.7, lo=0.6, hi=0.8)
    ranked = RankedBy(auc=figure, lift_at_10=figure, false_greens=figure, false_green_mrr={})
    beside = HealthComparison(
        rows=1200,
        left_out=0,
        churned=90,
        green_share=0.25,
        health=ranked,
        model=ranked,
        gain=Figure(value=0.1, lo=0.05, hi=0.15),
    )
    without = record({"churn": refused()})
    page = Page(render(without.model_copy(update={"health": beside})))
    assert "weighted health (hand-weighted)" in page.text
    assert "1,200 test rows, of which 90 left; 25% are green in both" in page.text
    assert "the model tells better who leaves" in page.text
    assert {"id": "health"} in page.all("section")
    assert "hand-weighted" not in Page(render(without)).text
