"""How far long work has come: the work names its stages, whoever runs it chooses what shows them.

Functions that take long accept a `Progress`.  The base class shows nothing and is the default of
every library call; `auto` shows a live bar in a terminal or a notebook, `for_command` also writes
a line per stage where stderr is a file.
"""

from __future__ import annotations

import importlib
import sys
import time
from typing import IO, TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from rich.console import Console


class Progress:
    """What receives the stages of long work; this one shows nothing.

    Used as a context manager, it is closed when the block ends.
    """

    def stage(self, name: str) -> None:
        """Begin a stage, which ends the one before; the same name goes on with it."""

    def step(self, done: int, total: int | None, what: str = "") -> None:
        """Tell how far the stage has come.

        Args:
            done: Steps that are complete.
            total: Steps in all; None where nobody knows.
            what: What is being worked on now.
        """

    def note(self, text: str) -> None:
        """Tell something that the user should be able to read afterwards."""

    def close(self) -> None:
        """End the last stage."""

    def within(self, name: str) -> Progress:
        """Return what names every stage and note after a larger piece of work: ``name: …``."""
        return _Within(self, name)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the last stage."""
        self.close()


SILENT = Progress()
"""Shows nothing."""


class _Within(Progress):
    def __init__(self, outer: Progress, name: str) -> None:
        self._outer, self._name = outer, name

    def stage(self, name: str) -> None:
        self._outer.stage(f"{self._name}: {name}")

    def step(self, done: int, total: int | None, what: str = "") -> None:
        self._outer.step(done, total, what)

    def note(self, text: str) -> None:
        self._outer.note(f"{self._name}: {text}")


class StageLines(Progress):
    """One line for each stage and note, none for steps: for logs, by default on stderr."""

    def __init__(self, stream: IO[str] | None = None) -> None:
        self._stream, self._began, self._name = stream or sys.stderr, time.monotonic(), ""

    def stage(self, name: str) -> None:
        """Write the stage after the time since the work began."""
        if name != self._name:
            self._name = name
            self.note(name)

    def note(self, text: str) -> None:
        """Write the text after the time since the work began."""
        print(f"… {clock(time.monotonic() - self._began)}  {text}", file=self._stream, flush=True)


class _Timed(Progress):
    """Knows how far the stage has come and how long it took."""

    def __init__(self) -> None:
        self.name = self.what = ""
        self.began, self.done = 0.0, 0
        self.total: int | None = None

    def stage(self, name: str) -> None:
        if name != self.name:
            self._end()
            self.name, self.began = name, time.monotonic()
            self._show()

    def step(self, done: int, total: int | None, what: str = "") -> None:
        self.done, self.total, self.what = done, total, what
        self._show()

    def close(self) -> None:
        self._end()

    def _end(self) -> None:
        if self.name:
            self._finished(clock(time.monotonic() - self.began))
        self.name, self.what, self.done, self.total = "", "", 0, None

    def place(self) -> str:
        """Return which step of how many is being made, and what it is about."""
        if self.total is not None:
            return f"{min(self.done + 1, self.total)} of {self.total}  {self.what}".rstrip()
        return f"{self.done + 1}  {self.what}".rstrip() if self.done else self.what

    def times(self) -> str:
        """Return the time that the stage has taken, and is likely to take yet."""
        elapsed = time.monotonic() - self.began
        left = remaining(elapsed, self.done, self.total)
        return clock(elapsed) if left is None else f"{clock(elapsed)} · {clock(left)} left"

    def _show(self) -> None:
        """Show the stage as it is now."""

    def _finished(self, took: str) -> None:
        """Show that the stage is done."""


class LiveBar(_Timed):
    """A bar in a terminal; finished stages stay above it as a line with their time."""

    def __init__(self, console: Console) -> None:
        from rich import progress as bars
        from rich.table import Column
        from rich.text import Text

        super().__init__()
        times = self.times

        class Times(bars.ProgressColumn):
            def render(self, task: bars.Task) -> Text:
                del task  # the times run on between steps
                return Text(times(), style="cyan")

        columns = (
            bars.SpinnerColumn(),
            bars.TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True)),
            bars.BarColumn(16),
            Times(table_column=Column(no_wrap=True)),
            bars.TextColumn("{task.fields[place]}", style="dim", markup=False),
        )
        self._bars = bars.Progress(*columns, console=console, transient=True)
        self._task: bars.TaskID | None = None

    def _show(self) -> None:
        fields: dict[str, Any] = {"description": self.name, "place": self.place()}
        if self._task is None:
            self._bars.start()
            self._task = self._bars.add_task(total=self.total, completed=self.done, **fields)
        else:
            self._bars.update(self._task, total=self.total, completed=self.done, **fields)

    def _finished(self, took: str) -> None:
        if self._task is not None:
            self._bars.remove_task(self._task)
            self._bars.refresh()
            self._task = None
        self.note(f"✓ {self.name}  {took}")

    def note(self, text: str) -> None:
        """Leave a line above the bar."""
        self._bars.console.print(text, markup=False, highlight=False)

    def close(self) -> None:
        """End the last stage and take the bar away."""
        self._end()
        self._bars.stop()


class NotebookLine(_Timed):
    """One line below the cell that is replaced as work goes on, and is empty at its end."""

    def __init__(self) -> None:
        super().__init__()
        self._handle: Any = None

    def _show(self) -> None:
        self._put("  ·  ".join(part for part in (self.name, self.place(), self.times()) if part))

    def note(self, text: str) -> None:
        """Write the text below the cell."""
        sys.stdout.write(f"{text}\n")

    def close(self) -> None:
        """End the last stage and empty the line."""
        self._end()
        if self._handle is not None:
            self._put("")

    def _put(self, text: str) -> None:
        bundle = {"text/plain": text}
        if self._handle is None:
            self._handle = _display()(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)


def _display() -> Any:
    return importlib.import_module("IPython.display").display


def auto() -> Progress:
    """Return a live bar in a terminal, a live line in a notebook, and silence elsewhere."""
    from rich.console import Console

    console = Console(stderr=True)
    if console.is_jupyter:
        return NotebookLine()
    return LiveBar(console) if console.is_terminal else SILENT


def for_command() -> Progress:
    """Return a live bar where stderr is a terminal, and a line per stage where it is not."""
    shown = auto()
    return StageLines() if shown is SILENT else shown


def clock(seconds: float) -> str:
    """Return a length of time as people read it.

    >>> clock(7.6), clock(75), clock(3_725)
    ('0:07', '1:15', '1:02:05')
    """
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def remaining(elapsed: float, done: int, total: int | None) -> float | None:
    """Return the seconds that are likely left, as if steps took equally long; None if unknown.

    >>> remaining(10.0, 2, 8)
    30.0
    """
    return elapsed / done * (total - done) if done and total is not None else None
