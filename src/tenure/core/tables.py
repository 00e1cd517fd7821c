"""Result tables on disk, CSV or Parquet by suffix, whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tenure.core.files import replacing

if TYPE_CHECKING:
    import pandas as pd


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame to a ``.csv`` or ``.parquet`` file, atomically.

    Times are written as ISO 8601 in CSV.
    """
    with replacing(path) as temporary:
        if path.suffix == ".csv":
            frame.to_csv(
                temporary, index=False, date_format="%Y-%m-%dT%H:%M:%SZ", lineterminator="\n"
            )
        else:
            frame.to_parquet(temporary, index=False)
