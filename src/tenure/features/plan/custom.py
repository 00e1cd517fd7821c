"""Features of a user's own: entries of the config, and families of Python modules.

Both give the same declarations as the registered families and pass the same checks.  A module is
run where features are declared for training; a bundle keeps the declarations, so scoring runs none.
"""

from __future__ import annotations

import importlib.util
import runpy
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from tenure.core.config import FeatureConfig
from tenure.core.errors import ConfigError, Problem, suggestion
from tenure.core.files import digest
from tenure.core.spec import Declared, Derived, Family, Feature, Ranked

CUSTOM = "custom"
TITLE = "Your own features"
KINDS: dict[str, type[Declared]] = {"formula": Derived, "of": Ranked}
"""Key that tells a kind of declaration from a plain `Feature`."""


@dataclass(frozen=True)
class OwnFamily:
    """A declaration of a user's own and where it was written."""

    place: str
    """For messages, e.g. ``features.custom.0`` or ``features.modules.0: `exports```."""
    family: str
    title: str
    """What the family is about."""
    item: Declared


def entries(config: FeatureConfig) -> Iterator[OwnFamily]:
    """Yield the declarations under ``features.custom``.

    Raises:
        ConfigError: If one is malformed.
    """
    for index, authored in enumerate(config.custom):
        place = f"features.custom.{index}"
        declared = dict(authored)
        family = declared.pop("family", CUSTOM)
        if not isinstance(family, str) or not family.isidentifier():
            fix = "letters, digits and underscores"
            raise ConfigError(Problem(f"{place}.family", "must be a name", str(family), fix))
        title = TITLE if family == CUSTOM else family.replace("_", " ").capitalize()
        yield OwnFamily(place, family, title, _declaration(declared, place))


def module_families(config: FeatureConfig) -> Iterator[OwnFamily]:
    """Yield the declarations of the modules under ``features.modules``; runs the modules.

    Raises:
        ConfigError: If a module cannot be run or holds no family.
    """
    for index, name in enumerate(config.modules):
        place = f"features.modules.{index}"
        for family in _families(name, place):
            for item in family.features:
                yield OwnFamily(f"{place}: `{item.name}`", family.name, family.title, item)


def own_families(config: FeatureConfig) -> list[Family]:
    """Return the families of a user's own, in the order in which they are named.

    Raises:
        ConfigError: If a declaration is malformed or a module cannot be used.
    """
    families: dict[str, tuple[str, list[Declared]]] = {}
    for own in (*entries(config), *module_families(config)):
        families.setdefault(own.family, (own.title, []))[1].append(own.item)
    return [Family(name, title, tuple(items)) for name, (title, items) in families.items()]


def module_digests(config: FeatureConfig) -> dict[str, str]:
    """Return the hash of the text of each module, by its name without folders."""
    return {
        _short(name): digest(_text(name, f"features.modules.{index}"))
        for index, name in enumerate(config.modules)
    }


def _declaration(authored: dict[str, Any], place: str) -> Declared:
    kind = next((kind for key, kind in KINDS.items() if key in authored), Feature)
    known = [field.name for field in fields(kind)]
    for key in authored:
        if key not in known:
            raise ConfigError(
                Problem(f"{place}.{key}", "unknown key", fix=suggestion(str(key), known))
            )
    try:
        declared: Declared = TypeAdapter(kind).validate_python(authored)
    except ValidationError as error:
        item = error.errors()[0]
        where = ".".join(str(part) for part in (place, *item["loc"]))
        raise ConfigError(Problem(where, item["msg"], str(authored)[:120])) from None
    return declared


def _families(name: str, place: str) -> tuple[Family, ...]:
    module = _run(name, place, digest(_text(name, place)))
    one, several = module.get("FAMILY"), module.get("FAMILIES", ())
    several = several.values() if isinstance(several, dict) else several
    families = tuple(several) if one is None else (one, *several)
    for family in families:
        if not isinstance(family, Family) or not all(
            isinstance(item, Feature | Derived | Ranked) for item in family.features
        ):
            fix = "declare a `tenure.core.spec.Family` of `Feature`, `Derived` and `Ranked`"
            raise ConfigError(Problem(place, "holds something else than families", name, fix))
    if not families:
        fix = "name a `tenure.core.spec.Family` `FAMILY`, or several `FAMILIES`"
        raise ConfigError(Problem(place, "holds no `FAMILY` or `FAMILIES`", name, fix))
    return families


@lru_cache(maxsize=32)
def _run(name: str, place: str, text_hash: str) -> dict[str, Any]:
    """Return what a module defines; it is run once for each text that it has had."""
    del text_hash
    try:
        return runpy.run_path(str(_path(name, place)))
    except ConfigError:
        raise
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
        raise ConfigError(Problem(place, "cannot be run", name, text)) from error


def _text(name: str, place: str) -> str:
    try:
        return _path(name, place).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(Problem(place, "cannot be read", name, str(error))) from None


def _path(name: str, place: str) -> Path:
    if name.endswith(".py"):
        if not Path(name).is_file():
            fix = "give a path relative to the config file"
            raise ConfigError(Problem(place, "is not a file", name, fix))
        return Path(name)
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        spec = None
    if spec is None or spec.origin is None or not Path(spec.origin).is_file():
        fix = "give a path that ends in .py, or the name of an installed module"
        raise ConfigError(Problem(place, "is not an importable module", name, fix))
    return Path(spec.origin)


def _short(name: str) -> str:
    return Path(name).name if name.endswith(".py") else name
