from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from tenure.explain.peers import EVERYONE, MIN_ROWS, Peers, fit_peers


def book(sizes: dict[str | None, int]) -> pd.DataFrame:
    segments = [name for name, size in sizes.items() for _ in range(size)]
    return pd.DataFrame(
        {
            "seats": np.arange(len(segments), dtype="float32"),
            "empty": np.full(len(segments), np.nan, dtype="float32"),
            "segment": pd.Series(segments, dtype=object),
        }
    )


def stayed(values: pd.DataFrame) -> np.ndarray:
    return np.zeros(len(values))


def test_only_retained_rows_count() -> None:
    values = book({"smb": 200})
    label = np.where(np.arange(200) < 100, 0.0, 1.0)
    label[:10] = np.nan
    peers = fit_peers(values, label, ())
    assert peers.values[EVERYONE]["seats"] == np.median(np.arange(10, 100))
    moved = values.assign(seats=np.where(label == 0, values["seats"], 1e6).astype("float32"))
    assert fit_peers(moved, label, ()) == peers, "who left or is not known changes nothing"


def test_groups_need_enough_retained_rows() -> None:
    values = book({"smb": MIN_ROWS + 5, "mid": MIN_ROWS - 1, None: 70})
    label = stayed(values)
    label[:10] = 1.0
    assert set(fit_peers(values, label, ("segment",)).values) == {EVERYONE}
    label[:10] = 0.0
    peers = fit_peers(values, label, ("segment",))
    assert set(peers.values) == {EVERYONE, "smb"}
    assert peers.values["smb"]["seats"] == np.median(np.arange(MIN_ROWS + 5))
    assert peers.values["smb"]["segment"] == "smb"


def test_lookup_falls_back_on_everyone() -> None:
    values = book({"smb": 60, "mid": 3})
    peers = fit_peers(values, stayed(values), ("segment",))
    asked = pd.DataFrame({"segment": pd.Series(["smb", "mid", "new", None], dtype=object)})
    groups = peers.groups(asked)
    assert list(groups) == ["smb", EVERYONE, EVERYONE, EVERYONE]
    overall = peers.values[EVERYONE]["seats"]
    assert list(peers.lookup("seats", groups)) == [29.5, overall, overall, overall]
    assert list(peers.lookup("empty", groups)) == [None] * 4
    assert list(peers.lookup("never heard of", groups)) == [None] * 4


@pytest.mark.parametrize("by", [(), ("no such column",)])
def test_without_groups_everyone_is_a_peer(by: tuple[str, ...]) -> None:
    values = book({"smb": 60})
    peers = fit_peers(values, stayed(values), by)
    assert list(peers.groups(values.iloc[:2])) == [EVERYONE, EVERYONE]
    assert set(peers.values) == {EVERYONE}


def test_a_group_that_lacks_a_feature_takes_the_books() -> None:
    values = book({"smb": 60, "mid": 60})
    values.loc[:59, "seats"] = np.nan
    peers = fit_peers(values, stayed(values), ("segment",))
    groups = np.asarray(["smb"], dtype=object)
    assert list(peers.lookup("seats", groups)) == [np.median(np.arange(60, 120))]


def test_ties_between_words_go_to_the_first_by_name() -> None:
    values = book({"b": 10, "a": 10, "c": 3})
    assert fit_peers(values, stayed(values), ()).values[EVERYONE]["segment"] == "a"


def test_peers_survive_json_to_the_last_bit() -> None:
    values = book({"smb": 60, "mid": 70})
    values["seats"] = (values["seats"] / 3).astype("float32")
    peers = fit_peers(values, stayed(values), ("segment",))
    assert Peers.from_json(json.loads(json.dumps(peers.to_json()))) == peers
    assert isinstance(peers.values["smb"]["seats"], float)


def test_the_order_of_rows_does_not_matter() -> None:
    values = book({"smb": 61, "mid": 70})
    label = (np.arange(len(values)) % 5 == 0).astype(float)
    order = np.random.default_rng(1).permutation(len(values))
    assert fit_peers(values.iloc[order], label[order], ("segment",)) == fit_peers(
        values, label, ("segment",)
    )
