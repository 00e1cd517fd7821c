"""The notebooks run from top to bottom on a small world, and import Tenure only."""

import ast
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tenure.demo import write_world

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
NAMES = ("train", "review_drivers", "backtest")
CONFIG = """\
name: demo
data: {path: ../demo/data}
model: {threads: 1, min_events: 5, min_train_positives: 10}
evaluation: {max_folds: 6, bootstrap: 50}
engine: {threads: 1}
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A folder laid out as a checkout after `make demo`."""
    root = tmp_path_factory.mktemp("checkout")
    write_world(root / "demo" / "data", accounts=500, months=26, seed=3)
    (root / "configs").mkdir()
    (root / "configs" / "demo.yaml").write_text(CONFIG)
    (root / "notebooks").mkdir()
    return root


def _code(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


@pytest.mark.parametrize("name", NAMES)
def test_imports_tenure_only(name):
    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    nbformat.validate(notebook)
    lines = "\n".join(_code(notebook)).replace("%cd -q ..", "")
    found = {
        alias.name
        for node in ast.walk(ast.parse(lines))
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    assert found == {"tenure"}
    assert not any(cell.get("outputs") for cell in notebook.cells), "commit it without outputs"
    assert not any(
        isinstance(node, ast.FunctionDef | ast.For) for node in ast.walk(ast.parse(lines))
    )


@pytest.mark.slow
def test_notebooks_run(checkout, monkeypatch):
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    for name in NAMES:  # in this order: the second needs the champion of the first
        notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
        where = {"metadata": {"path": str(checkout / "notebooks")}}
        NotebookClient(notebook, timeout=300, kernel_name="python3", resources=where).execute()
        assert any(cell.get("outputs") for cell in notebook.cells)
    assert (checkout / "models" / "churn" / "champion.json").is_file()
    assert (checkout / "runs" / "backtest.parquet").is_file()
