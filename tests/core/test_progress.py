"""What long work tells of itself, and what is shown of it."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from rich.console import Console

from tenure.core import progress as module
from tenure.core.progress import SILENT, LiveBar, NotebookLine, Progress, StageLines, auto

if TYPE_CHECKING:
    import pytest


def work(progress: Progress) -> None:
    """Do what a run does, without the work."""
    with progress:
        progress.stage("reading tables")
        progress.step(0, 2, "accounts")
        progress.step(1, 2, "tickets")
        inner = progress.within("churn")
        inner.stage("past prediction times")
        for number in range(3):
            inner.step(number, 3, f"2024-0{number + 1}-01")
        inner.note("a note [on] something")
        inner.stage("past prediction times")


def test_lines_name_each_stage_once_and_no_step() -> None:
    stream = io.StringIO()
    work(StageLines(stream))
    lines = [re.sub(r"^… \d+:\d\d  ", "", line) for line in stream.getvalue().splitlines()]
    assert lines == [
        "reading tables",
        "churn: past prediction times",
        "churn: a note [on] something",
    ]


def test_a_terminal_keeps_finished_stages_with_their_time() -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=100, color_system=None)
    work(LiveBar(console))
    text = stream.getvalue()
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "\n", text)
    kept = [line for line in plain.splitlines() if line.startswith(("✓", "churn: a note"))]
    assert [re.sub(r"\d+:\d\d$", "T", line.strip()) for line in kept] == [
        "✓ reading tables  T",
        "churn: a note [on] something",
        "✓ churn: past prediction times  T",
    ]


def test_a_bar_says_how_long_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("tenure.core.progress.time.monotonic", lambda: now[0])
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    with LiveBar(console) as bar:
        bar.stage("folds")
        now[0] += 70
        bar.step(7, 10, "2024-01-01")
        assert bar.times() == "1:10 · 0:30 left"
        assert bar.place() == "8 of 10  2024-01-01"
        bar.step(7, None, "trials")
        assert bar.times() == "1:10"


def test_a_notebook_shows_one_line_and_leaves_none(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []

    class Handle:
        def update(self, bundle: dict[str, str], *, raw: bool) -> None:
            assert raw
            shown.append(bundle["text/plain"])

    def display(bundle: dict[str, str], *, raw: bool, display_id: bool) -> Handle:
        assert raw
        assert display_id
        shown.append(bundle["text/plain"])
        return Handle()

    monkeypatch.setattr(module, "_display", lambda: display)
    work(NotebookLine())
    assert shown[0].startswith("reading tables")
    assert any("churn: past prediction times  ·  3 of 3  2024-03-01" in line for line in shown)
    assert shown[-1] == ""


def test_silence_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    work(SILENT)
    assert auto() is SILENT
    work(auto())
    assert capsys.readouterr() == ("", "")
