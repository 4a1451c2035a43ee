"""Write docs/reference.md from the code: commands and their options, settings of a training run, presets.

    python tools/write_reference.py [--check]

With --check nothing is written, and the exit status is 1 where the page is not what the code gives.
"""

import argparse
import ast
import inspect
import sys
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from clothing_classifier import config
from clothing_classifier.cli import app
from clothing_classifier.serving.security import TOKEN_VARIABLE

PAGE = Path(__file__).parents[1] / "docs" / "reference.md"
HEAD = """# Commands and settings

Written by `python tools/write_reference.py` from the code; `make check` fails where it is not what the code gives.

Every command prints results on standard output and all else on standard error, shows a progress bar on a terminal and
none in a pipe, and leaves no half-written file where it is stopped. Exit status 0: done; 1: some or all inputs failed,
each named, the rest processed, or `audit` found something serious; 2: usage, or input that can't be used at all.
"""
SETTINGS = """## Settings of a training run

`clothing train --set SECTION.KEY=VALUE`, or a TOML file given as `--preset`. Values are written as in TOML. Unknown
keys and wrong types are refused by name.
"""
PRESETS = """## Presets

`--preset NAME`, each a file in `code/clothing_classifier/presets/` with only what differs from the above. A file
of your own holds the same.
"""
ENVIRONMENT = f"""## Environment

| variable | what it does |
|---|---|
| `{TOKEN_VARIABLE}` | the token that clients of `clothing serve` send |
| `XDG_CACHE_HOME` | where `train` keeps decoded photos, in `clothing-classifier/`; default `~/.cache` |
"""


def page() -> str:
    """The whole page."""
    commands = typer.main.get_command(app)
    names = list(commands.commands)  # type: ignore[attr-defined]
    index = f"Commands: {', '.join(f'[{name}](#{name})' for name in names)}."
    more = "[Settings](#settings-of-a-training-run), [presets](#presets), [environment](#environment)."
    parts = [HEAD, f"{index} {more}\n"]
    parts += [command_section(name, commands.commands[name]) for name in names]  # type: ignore[attr-defined]
    parts += [SETTINGS, *map(settings_section, config.TrainSettings.model_fields), PRESETS]
    parts += [preset_line(name) for name in config.presets()]
    return "\n".join([*parts, "", ENVIRONMENT])


def command_section(name: str, command: Any) -> str:
    """A command's purpose, example, and arguments and options, as its --help gives them."""
    context = typer.Context(command, info_name=f"clothing {name}")
    lines = [f"## {name}", "", command.help, "", f"    {command.epilog.removeprefix('Example: ')}", ""]
    lines += ["| argument or option | what it does |", "|---|---|"]
    for parameter in command.params:
        usage, about = parameter.get_help_record(context)
        lines.append(f"| `{_cell(usage)}` | {_cell(about.replace('  [', ' ['))} |")
    return "\n".join([*lines, ""])


def settings_section(section: str) -> str:
    """Keys of a section, with type, default, bounds and meaning."""
    kind = config.TrainSettings.model_fields[section].annotation
    assert isinstance(kind, type)
    assert issubclass(kind, BaseModel)
    meanings = dict(attribute_docstrings(kind))
    lines = [f"### {section}", "", inspect.cleandoc(kind.__doc__ or ""), ""]
    lines += ["| key | type | default | meaning |", "|---|---|---|---|"]
    for key, field in kind.model_fields.items():
        cells = f"`{section}.{key}`", _type(field), f"`{_toml(field.default)}`", meanings.get(key, "")
        lines.append(f"| {' | '.join(map(_cell, cells))} |")
    return "\n".join([*lines, ""])


def preset_line(name: str) -> str:
    """A preset's name, and what its first comment says of it."""
    file = resources.files("clothing_classifier") / "presets" / f"{name}.toml"
    return f"- `{name}`: {file.read_text(encoding='utf-8').splitlines()[0].removeprefix('# ')}"


def attribute_docstrings(kind: type) -> Iterator[tuple[str, str]]:
    """The string below each attribute of a class, on one line."""
    (definition,) = ast.parse(inspect.getsource(kind)).body
    assert isinstance(definition, ast.ClassDef)
    for before, after in zip(definition.body, definition.body[1:], strict=False):
        if isinstance(before, ast.AnnAssign) and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            assert isinstance(before.target, ast.Name)
            yield before.target.id, " ".join(str(after.value.value).split())


def _type(field: FieldInfo) -> str:
    kind = field.annotation
    name = kind.__name__ if isinstance(kind, type) and not hasattr(kind, "__args__") else str(kind)
    name = name.replace("typing.", "")
    if name.startswith("Literal["):
        name = name[len("Literal[") : -1].replace("'", "")
    bounds = [str(bound).partition("(")[2].rstrip(")") for bound in field.metadata if "=" in str(bound)]
    signs = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}
    limits = [f"{signs[key]} {value}" for key, _, value in (bound.partition("=") for bound in bounds) if key in signs]
    return ", ".join([name, *limits])


def _toml(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    return str(list(value)) if isinstance(value, tuple) else str(value) if value != "" else '""'


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def main() -> None:
    """Write the page or compare with it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where the page is out of date")
    options = parser.parse_args()
    text = page()
    if not options.check:
        PAGE.write_text(text, encoding="utf-8")
    elif not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != text:
        sys.exit("docs/reference.md is not what the code gives; run python tools/write_reference.py")


if __name__ == "__main__":
    main()
