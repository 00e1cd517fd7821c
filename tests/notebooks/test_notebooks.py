"""The notebooks run from top to bottom on a small world, and stand with what they show."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tenure.demo import write_world

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
NAMES = ("train", "review_drivers", "backtest")
LIBRARIES = {"pandas", "sklearn", "tenure"}
CONFIG = """\
name: demo
data: {path: ../demo/data}
targets: [churn]
model: {threads: 1, min_events: 5, min_train_positives: 10, parameters: {num_iterations: 20}}
evaluation: {max_folds: 3, bootstrap: 50}
engine: {threads: 1}
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder laid out as a checkout after `make demo`."""
    root = tmp_path_factory.mktemp("checkout")
    write_world(root / "demo" / "data", accounts=200, months=24, seed=3)
    (root / "configs").mkdir()
    (root / "configs" / "demo.yaml").write_text(CONFIG)
    (root / "notebooks").mkdir()
    return root


def read(name: str) -> Any:
    return nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)


def code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def pictures(notebook: Any) -> int:
    """Count the outputs that are charts."""
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    return sum("image/svg+xml" in output.get("data", {}) for output in outputs)


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_uses_the_public_api_and_has_no_logic_of_its_own(name: str) -> None:
    notebook = read(name)
    nbformat.validate(notebook)
    lines = "\n".join(cell.source for cell in code_cells(notebook)).replace("%cd -q ..", "")
    nodes = list(ast.walk(ast.parse(lines)))
    modules = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    assert "tenure" in modules
    assert {module.split(".")[0] for module in modules} <= LIBRARIES
    assert not [module for module in modules if module.startswith("tenure.")]
    assert not any(isinstance(node, ast.FunctionDef | ast.For | ast.While) for node in nodes)


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_stored_with_what_it_shows(name: str) -> None:
    notebook = read(name)
    counts = [cell.execution_count for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1)), "run `make notebooks`"
    kinds = {output.output_type for cell in code_cells(notebook) for output in cell.outputs}
    assert "error" not in kinds
    assert pictures(notebook) >= 3
    assert (NOTEBOOKS / f"{name}.ipynb").stat().st_size < 400_000


@pytest.mark.slow
def test_notebooks_run(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    for name in NAMES:  # in this order: the second needs the champion of the first
        notebook = read(name)
        stored = pictures(notebook)
        where = {"metadata": {"path": str(checkout / "notebooks")}}
        NotebookClient(notebook, timeout=550, kernel_name="python3", resources=where).execute()
        assert pictures(notebook) == stored
    assert (checkout / "models" / "churn" / "champion.json").is_file()
    assert (checkout / "runs" / "backtest.parquet").is_file()
