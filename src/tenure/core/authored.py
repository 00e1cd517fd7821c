"""What people write in a config file: YAML, with variables of the environment in it."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml

from tenure.core.errors import ConfigError, Problem


class _OneValuePerKey(yaml.SafeLoader):
    """Reads YAML as the safe loader does, and refuses a key that stands twice in a mapping."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return a mapping, after checking its keys."""
        lines: dict[str, int] = {}
        for key, _ in node.value:
            if key.tag == "tag:yaml.org,2002:merge" or not isinstance(key, yaml.ScalarNode):
                continue
            line = key.start_mark.line + 1
            if key.value in lines:
                places = f"in lines {lines[key.value]} and {line}"
                raise ConfigError(Problem(key.value, "is given twice", places, "keep one of them"))
            lines[key.value] = line
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


VARIABLE = re.compile(r"\$\{([A-Z_][A-Z0-9_]*)(?::-([^}]*))?\}|\ue000")
"""A variable of the environment in a text: `${VAR}`, `${VAR:-default}`, or the sign for one."""
UNSET = re.compile(r"\ue000([A-Z_][A-Z0-9_]*)\ue001")
"""What stands for a variable that was not set when the file was read."""
LATER = frozenset({"exports", "webhooks"})
"""Sections that need a variable only when what it stands in is used: see `settled`."""


def read_mapping(path: Path, *, unread: bool = False) -> dict[str, Any]:
    """Return what a YAML file says, its variables taken from the environment.

    Under the sections `LATER`, one that is not set is left to `settled`.

    Args:
        path: The file.
        unread: Whether one sign stands for each variable instead, or its default for that.

    Raises:
        ConfigError: If the file is missing, is not YAML, is no mapping, gives a key twice, or names
            a variable that is not set.
    """
    if not path.is_file():
        raise ConfigError(Problem(str(path), "is not a file", fix="give the path of a YAML config"))
    try:
        # The loader is the safe one: it makes no objects.
        text = path.read_text(encoding="utf-8")
        text = VARIABLE.sub((lambda m: m[2] or "\ue000") if unread else _value, text)
        authored = yaml.load(text, _OneValuePerKey)
        if isinstance(authored, dict):
            authored = {
                key: value if key in LATER else settled(value) for key, value in authored.items()
            }
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        place, fix = str(error), "save it as plain text in UTF-8"
        if isinstance(error, yaml.MarkedYAMLError) and (mark := error.problem_mark):
            place = f"line {mark.line + 1}, column {mark.column + 1}: {error.problem}"
            fix = "close the bracket or quote, or mend the indent, there or above"
        raise ConfigError(Problem(str(path), "is not valid YAML", place, fix)) from error
    except ConfigError as error:
        raise ConfigError(*(f"{path}: {problem}" for problem in error.problems)) from None
    if not isinstance(authored, dict):
        fix = "start with `data: {path: DIR}`"
        raise ConfigError(Problem(str(path), "must be a mapping", fix=fix))
    return authored


def rewritten(path: Path, sections: Collection[str], changes: Mapping[str, Any]) -> str:
    """Return some sections of a YAML file as YAML, with changes put in; its variables stay unread.

    Args:
        path: The file, which has been read without an error.
        sections: Keys that stay; all others are left out.
        changes: Put into what is left (see `merged`).
    """
    variables: list[str] = []

    def sign(match: re.Match[str]) -> str:
        variables.append(match.group())
        return f"\ue000{len(variables) - 1}\ue001"

    text = VARIABLE.sub(sign, path.read_text(encoding="utf-8"))
    authored = yaml.load(text, _OneValuePerKey)
    chosen = {key: value for key, value in authored.items() if key in sections}
    text = yaml.safe_dump(merged(chosen, changes), allow_unicode=True, width=10_000)
    return re.sub("\ue000(\\d+)\ue001", lambda match: variables[int(match[1])], text)


def merged(authored: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a user wrote with changes put in: mappings are merged, all else is replaced.

    Paths may be `pathlib` ones.

    >>> merged({"model": {"seed": 0, "threads": 2}, "targets": ["churn"]}, {"model": {"seed": 1}})
    {'model': {'seed': 1, 'threads': 2}, 'targets': ['churn']}
    """
    result = {key: _plain(value) for key, value in authored.items()}
    for key, value in changes.items():
        before = result.get(key)
        if isinstance(before, dict) and isinstance(value, Mapping):
            result[key] = merged(before, value)
        else:
            result[key] = _plain(value)
    return result


def _plain(value: Any) -> Any:
    """Return a value as YAML would give it."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def expanded(text: str) -> str:
    """Return a text with `${VAR}` and `${VAR:-default}` taken from the environment.

    Raises:
        ConfigError: If a variable without a default is not set.
    """
    return UNSET.sub(_looked_up, VARIABLE.sub(_value, text))


def settled(value: Any) -> Any:
    """Return what was read with the variables that were not set then.

    Raises:
        ConfigError: If one still is not set.
    """
    if isinstance(value, Mapping):
        return {settled(key): settled(item) for key, item in value.items()}
    if isinstance(value, list):
        return [settled(item) for item in value]
    return UNSET.sub(_looked_up, value) if isinstance(value, str) else value


def _value(match: re.Match[str]) -> str:
    name, default = match.groups()
    setting = match.group() if name is None else os.environ.get(name) or default
    return f"\ue000{name}\ue001" if setting is None else setting


def _looked_up(match: re.Match[str]) -> str:
    if setting := os.environ.get(name := match[1]):
        return setting
    rule, fix = "is not set in the environment", f"export {name}=…"
    raise ConfigError(Problem(f"${{{name}}}", rule, fix=fix))
