"""Flat rows are the frame that pandas makes of the same columns, and share nothing with them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tenure.explain.flat import flat_frame


def columns(rows: int) -> dict[str, object]:
    """Return columns of every kind that scores have, some of them wrapped by pandas."""
    number = pd.Series(np.arange(rows, dtype=np.float64))
    moment = pd.Series(pd.date_range("2024-01-01", periods=rows).astype("datetime64[us]"))
    return {
        "number": number.array,
        "word": pd.array(["a", None, "b"][:rows], dtype="str"),
        "time": moment.array,
        "plain": np.full(rows, np.nan),
        "other": np.full(rows, np.datetime64("2024-03-01", "us")),
        "rank": pd.array([1, None, 3][:rows], dtype="Int64"),
        "object": np.array([None, "x", 1][:rows], dtype=object),
    }


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_it_is_the_frame_that_pandas_makes(rows: int) -> None:
    given = columns(rows)
    wanted = pd.DataFrame(given).astype({"object": object})
    found = flat_frame(given)
    pd.testing.assert_frame_equal(found, wanted)
    assert [type(kind) for kind in found.dtypes] == [type(kind) for kind in wanted.dtypes]
    assert found.iloc[:, :-1].to_parquet() == wanted.iloc[:, :-1].to_parquet()


def test_a_column_can_be_written_to_alone() -> None:
    given = columns(3)
    frame = flat_frame(given)
    frame.loc[0, "plain"] = 5.0
    frame.loc[0, "number"] = 7.0
    assert np.isnan(np.asarray(given["plain"])).all()
    assert np.asarray(given["number"])[0] == 0.0
    assert frame["number"].tolist() == [7.0, 1.0, 2.0]
    assert frame["plain"].tolist()[0] == 5.0
