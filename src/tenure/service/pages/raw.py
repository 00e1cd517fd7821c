"""The raw tables, for pages that show more than scores: loaded once, read by one caller at a time.

They are loaded again when a file that the config names has changed.  What a page asked of them is
remembered until then.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tenure.run.prepare import loaded

if TYPE_CHECKING:
    from tenure.core.config import Config
    from tenure.sources.dataset import Dataset

T = TypeVar("T")
REMEMBERED = 128
Stamp = tuple[tuple[str, int, int], ...]


class RawTables:
    """The tables of a config; one caller at a time has them.

    Args:
        config: Names their files.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self._turn = threading.Lock()
        self._open = ExitStack()
        self._dataset: Dataset | None = None
        self._stamp: Stamp = ()
        self._answers: OrderedDict[Hashable, object] = OrderedDict()

    @property
    def present(self) -> bool:
        """Return whether any of the files is on this machine."""
        return bool(self._files())

    def ask(self, key: Hashable, question: Callable[[Dataset], T]) -> T:
        """Return what a question of the tables comes to; remembered by its key.

        Raises:
            DataError: If a table cannot be used.
        """
        with self._turn:
            dataset = self._fresh()
            if key not in self._answers:
                self._answers[key] = question(dataset)
                while len(self._answers) > REMEMBERED:
                    self._answers.popitem(last=False)
            self._answers.move_to_end(key)
            answer: T = self._answers[key]  # type: ignore[assignment]  # a key has one question
            return answer

    def close(self) -> None:
        """Release the tables."""
        with self._turn:
            self._release()

    def _fresh(self) -> Dataset:
        stamp = self._files()
        if self._dataset is None or stamp != self._stamp:
            self._release()
            self._dataset = self._open.enter_context(loaded(self.config, thorough=False))
            self._stamp = stamp
        return self._dataset

    def _release(self) -> None:
        self._answers.clear()
        self._open.close()
        self._dataset = None

    def _files(self) -> Stamp:
        """Return name, time and size of every file that the tables may come from."""
        data = self.config.data
        places = [data.path, data.base, *(table.path for table in data.tables.values())]
        files: set[Path] = set()
        for place in filter(None, places):
            path = Path(place)
            if path.is_dir():
                files.update(item for item in path.glob("*") if item.is_file())
            elif any(sign in place for sign in "*?["):
                files.update(path.parent.glob(path.name))
            elif path.is_file():
                files.add(path)
        stats = ((str(file), file.stat()) for file in sorted(files))
        return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats)
