"""Folders of files that are looked at, mapped and loaded as `tenure init` does it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tenure.core.config import load_config, make_config
from tenure.core.errors import Problem
from tenure.engine import Engine, open_engine
from tenure.sources.dataset import Dataset
from tenure.sources.load import load
from tenure.sources.presets.config_text import config_text
from tenure.sources.presets.declared import presets
from tenure.sources.presets.mapped import map_tables
from tenure.sources.presets.raw_tables import raw_tables
from tenure.sources.presets.recognise import recognised
from tenure.sources.presets.times import Order, TimeForms

WORDS = {
    spelling
    for preset in presets().values()
    for item in preset.objects.values()
    for names in item.columns.values()
    for spelling in names
}


class Folder:
    """A folder of files, and what `tenure init` makes of it."""

    def __init__(self, path: Path, files: Mapping[str, str], first: Order | None = None) -> None:
        for name, text in files.items():
            (path / name).write_text(text)
        self.path = path
        self.engine: Engine = open_engine(make_config({"data": {"path": "."}}, base=path))
        self.raw = raw_tables(path, self.engine, WORDS)
        self.matches = [
            match
            for raw in self.raw
            if not isinstance(raw, Problem) and (match := recognised(raw, presets().values()))
        ]
        self.forms = TimeForms(self.engine, first)
        self.mapped, self.rest = map_tables(self.matches, self.forms, self.engine)
        used = {table.name for table in self.mapped if not table.left_out}
        self.text = config_text(
            "test",
            self.mapped,
            path=".",
            leave_out=sorted({"tickets", "survey_responses"} - used),
            remarks=self.rest,
        )
        self._dataset: Dataset | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.engine.close()

    @property
    def dataset(self) -> Dataset:
        """The tables, loaded by the config that was written."""
        if self._dataset is None:
            (self.path / "tenure.yaml").write_text(self.text)
            config = load_config(
                self.path / "tenure.yaml", {"data": {"observed_until": "2023-09-15"}}
            )
            self._dataset = load(config, self.engine, thorough=False)
        return self._dataset

    def rows(self, table: str, columns: str) -> list[tuple[str | None, ...]]:
        """Rows of a table as text, in order."""
        items = ", ".join(f"CAST({name} AS VARCHAR) AS {name}" for name in columns.split(", "))
        rows = self.dataset.engine.fetch(f"SELECT {items} FROM {table} ORDER BY ALL")
        return [tuple(row.values()) for row in rows.to_pylist()]
