"""Scores where the rows are: the executors of a cluster ask the bundle about batches of rows.

The bundle travels as the text of its files; each process of an executor reads it once.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from tenure.features.held import Held, Values
from tenure.model.bundle import Bundle, Floats, read_bundle
from tenure.model.bundle_files import write_files

if TYPE_CHECKING:
    from tenure.engine import Engine
    from tenure.model.ahead import Ahead

SCATTERED_SCORES = 50_000
"""Rows from which a cluster scores in its executors."""
PLACE = "_place"
_OPEN: dict[str, Bundle] = {}


@dataclass(frozen=True)
class ScoreBatch:
    """A bundle's scores of a batch of feature rows; it travels to the executors.

    Attributes:
        version: The bundle's version.
        texts: Its files.
        columns: How many columns its booster reads.
        horizon: Which horizon's model is asked; the main one where the bundle has no other.
    """

    version: str
    texts: Mapping[str, str]
    columns: int
    horizon: str = ""

    @property
    def schema(self) -> pa.Schema:
        """Return the columns of what comes back: place, probability, contributions."""
        names = ["probability", *(f"c{number}" for number in range(self.columns + 1))]
        return pa.schema([(PLACE, pa.int64()), *((name, pa.float64()) for name in names)])

    def __call__(self, rows: pa.Table) -> pa.Table:
        """Return the scores of some rows."""
        values = _values(rows.drop_columns([PLACE]))
        bundle = self._bundle()
        model: Bundle | Ahead = bundle.ahead.get(self.horizon, bundle)
        probability, contributions = model.scores_and_contributions(values)
        columns = [rows.column(PLACE), pa.array(probability), *map(pa.array, contributions.T)]
        return pa.table(columns, schema=self.schema)

    def _bundle(self) -> Bundle:
        if self.version not in _OPEN:
            with tempfile.TemporaryDirectory(prefix="tenure-") as place:
                folder = Path(place) / self.version
                folder.mkdir()
                write_files(self.texts, {}, folder)
                _OPEN[self.version] = read_bundle(folder, threads=1)
        return _OPEN[self.version]


def scores_and_contributions(
    engine: Engine, bundle: Bundle, values: Values, horizon: str = ""
) -> tuple[Floats, Floats]:
    """Return probabilities and contributions, computed where it is cheaper.

    Args:
        engine: It says whether there are executors.
        bundle: The model.
        values: The columns that the model reads.
        horizon: Which horizon's model to ask; the main one where the bundle has no other.
    """
    model: Bundle | Ahead = bundle.ahead.get(horizon, bundle)
    if not engine.scatters or len(values) < SCATTERED_SCORES:
        return model.scores_and_contributions(values)
    width = len(model.encoder.columns)
    batch = ScoreBatch(bundle.version, bundle.texts(), width, horizon)
    frame = values.frame() if isinstance(values, Held) else values
    table = pa.Table.from_pandas(frame, preserve_index=False)
    table = table.append_column(PLACE, pa.array(np.arange(len(values), dtype=np.int64)))
    found = engine.map_batches(table, batch, batch.schema)
    order = np.argsort(found.column(PLACE).to_numpy(), kind="stable")
    columns = [found.column(name).to_numpy()[order] for name in batch.schema.names[1:]]
    return columns[0], np.column_stack(columns[1:])


def _values(table: pa.Table) -> pd.DataFrame:
    """Return feature rows as the matrix has them: numbers, and words as objects."""
    columns: dict[str, Any] = {}
    for field in table.schema:
        column = table.column(field.name)
        if pa.types.is_string(field.type):
            columns[field.name] = pd.Series(column.to_pylist(), dtype=object)
        else:
            columns[field.name] = column.to_numpy()
    return pd.DataFrame(columns)
