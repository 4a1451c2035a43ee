"""The rules that keep the tree readable: imports point down, torch stays behind its doors, `code` stays a folder."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "code" / "clothing_classifier"

# Highest first. Modules on one line do not import each other.
LAYERS = """
__main__
cli
report | serving | scoring
compression
export | audit
training | analysis
inference
evaluation
models
datasets | preprocessing
config
utils
errors
"""
MAY_IMPORT_TORCH = {"models", "training", "analysis", "compression", "export"}
REPORT_CORE = (
    "metrics", "document", "figure", "pictures", "terminal", "markdown", "evaluation", "network", "predictions",
    "tables",
)  # fmt: skip
"""Modules of report/ that the base install can import; pages, photos and audits need extras."""
OF_EXTRAS = MAY_IMPORT_TORCH | {"audit", "report", "scoring", "serving"}
EXTRAS = (
    "torch", "sklearn", "onnx", "matplotlib", "accelerate", "torchvision", "safetensors", "ray", "jinja2", "fastapi",
    "starlette", "uvicorn", "python_multipart", "prometheus_client", "openvino", "scipy", "simplejpeg", "pyarrow",
    "fsspec",
)  # fmt: skip

HEIGHT = {
    module.strip(): -height
    for height, line in enumerate(LAYERS.strip().splitlines())
    for module in line.split("|")
}  # fmt: skip


def units() -> list[str]:
    """The flat modules and the subpackages, without `__init__`."""
    return sorted(
        path.stem
        for path in PACKAGE.iterdir()
        if path.stem != "__init__" and (path.suffix == ".py" or holds_code(path))
    )


def holds_code(path: Path) -> bool:
    return (path / "__init__.py").exists()


def sources(unit: str) -> list[Path]:
    folder = PACKAGE / unit
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [PACKAGE / f"{unit}.py"]


def imported_names(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_every_unit_has_its_layer() -> None:
    assert set(units()) == set(HEIGHT)


@pytest.mark.parametrize("unit", units())
def test_imports_point_down_only(unit: str) -> None:
    for path in sources(unit):
        for name in imported_names(path):
            parts = name.split(".")
            if parts[0] == "clothing_classifier" and parts[1] != unit:
                assert HEIGHT[parts[1]] < HEIGHT[unit], f"{path.name} imports {name}"


@pytest.mark.parametrize("unit", [unit for unit in units() if unit not in MAY_IMPORT_TORCH])
def test_torch_is_imported_by_its_owners_only(unit: str) -> None:
    for path in sources(unit):
        assert not {name.split(".")[0] for name in imported_names(path)} & {"torch", "torchvision"}, path.name


def test_core_modules_load_without_the_extras() -> None:
    paths = [path.relative_to(PACKAGE.parent) for unit in units() if unit not in OF_EXTRAS for path in sources(unit)]
    paths += [Path("clothing_classifier/report") / f"{name}.py" for name in REPORT_CORE]
    core = {".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in paths}
    program = f"import sys, {', '.join(sorted(core))}; print(*sorted(set({EXTRAS!r}) & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == ""


def test_the_standard_librarys_code_module_still_wins() -> None:
    assert not (PACKAGE.parent / "__init__.py").exists()
    program = "import code; print(code.InteractiveConsole.__name__)"
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=PACKAGE.parents[1]
    )
    assert result.stdout.strip() == "InteractiveConsole"


def test_the_names_of_architectures_are_those_that_can_be_built() -> None:
    from clothing_classifier import config, models

    assert tuple(models.ARCHITECTURES) == config.ARCHITECTURES
