"""Where the settings come from.

Rising precedence: the default, the TOML file, `MLAPI_<SECTION>__<KEY>` in the environment, `--set`.
"""

from __future__ import annotations

import difflib
import json
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from provisioner.errors import UsageError
from provisioner.settings import Settings
from provisioner.settings.section import Section

DEFAULT_FILE = "ml-api.toml"
_PREFIX = "MLAPI_"
_NO_SETTINGS = ("MLAPI_HOME", "MLAPI_STATE", "MLAPI_LOCAL")


def load(file: Path | None, sets: Iterable[str], environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings from file, environment and flags; UsageError names what is wrong and what is near."""
    given: dict[str, Any] = {}
    for path, value in (*_from_file(file), *_from_environment(environment), *_from_flags(sets)):
        _put(given, path, value)
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        raise UsageError("\n".join(_told(error)), "See the table of settings in the README.") from error


def known_paths() -> list[str]:
    """Every `section.key` and top-level key."""
    paths: list[str] = []
    for name, field in Settings.model_fields.items():
        kind = field.annotation
        nested = isinstance(kind, type) and issubclass(kind, Section)
        paths += [f"{name}.{key}" for key in kind.model_fields] if nested else [name]  # type: ignore[union-attr]
    return paths


def _from_file(file: Path | None) -> Iterator[tuple[str, Any]]:
    path = file or Path(DEFAULT_FILE)
    if file is None and not path.exists():
        return
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"The settings file {path} cannot be used: {error}") from error
    sections = {path.split(".")[0] for path in known_paths() if "." in path}
    for name, value in document.items():
        if name in sections and isinstance(value, dict):
            yield from ((f"{name}.{key}", inner) for key, inner in value.items())
        else:
            yield name, value


def _from_environment(environment: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    known = {_PREFIX + path.upper().replace(".", "__"): path for path in known_paths()}
    for variable in sorted(environment):
        if variable in known:
            yield known[variable], _value(environment[variable])
        elif variable.startswith(_PREFIX) and variable not in _NO_SETTINGS:
            near = difflib.get_close_matches(variable, [*known, *_NO_SETTINGS], n=1, cutoff=0.4)
            hint = f"Did you mean `{near[0]}`?" if near else "See the table of settings in the README."
            raise UsageError(f"There is no setting behind the variable {variable}.", hint)


def _from_flags(sets: Iterable[str]) -> Iterator[tuple[str, Any]]:
    for one in sets:
        path, equals, value = one.partition("=")
        if not equals:
            raise UsageError(f"--set {one} has no value.", "Write it as --set section.key=value.")
        yield path.strip(), _value(value)


def _value(text: str) -> Any:
    """A value from a shell: JSON for lists, mappings, true, false and null; else the text itself."""
    if text[:1] in "[{" or text in ("true", "false", "null"):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text


def _put(given: dict[str, Any], path: str, value: Any) -> None:
    known = known_paths()
    if path not in known:
        near = difflib.get_close_matches(path, known, n=1, cutoff=0.4)
        hint = f"Did you mean `{near[0]}`?" if near else f"There are: {', '.join(known)}."
        raise UsageError(f"There is no setting `{path}`.", hint)
    *section, key = path.split(".")
    target = given.setdefault(section[0], {}) if section else given
    target[key] = value


def _told(error: ValidationError) -> Iterator[str]:
    for one in error.errors():
        where = ".".join(str(part) for part in one["loc"])
        yield f"The setting `{where}` is refused: {one['msg'].removeprefix('Value error, ')}."
