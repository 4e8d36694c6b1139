"""Reading the given settings from the file, the environment and `--set`."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from provisioner.configuration.refusals import unknown_setting_error, unknown_variable_error
from provisioner.errors import UsageError
from provisioner.names import PROGRAM
from provisioner.settings.schema import sections, setting_schemas

DEFAULT_FILE = "ml-api.toml"
_AS_SET = "Write it as --set section.key=value."
PREFIX = "MLAPI_"
NO_SETTINGS = ("MLAPI_HOME", "MLAPI_STATE", "MLAPI_STATE_ENDPOINT", "MLAPI_LOCAL")


# The value of no setting is nested deeper (api.services.NAME.environment.NAME has 4 levels).
_DEEPEST = 16
_TOO_DEEP = f"brackets are nested more than {_DEEPEST} deep"


class GivenSetting(NamedTuple):
    """A given value of one setting, and its source."""

    path: str
    value: Any
    source: str


def given_settings(file: Path | None, sets: Iterable[str], environment: Mapping[str, str]) -> dict[str, GivenSetting]:
    """Return the given settings by path; a later source overrides an earlier one.

    The order is the file, the environment, `--set`.

    Args:
        file: The TOML file; None for the default file, which need not exist.
        sets: The values of `--set`, each as `section.key=value`.
        environment: The environment variables.

    Raises:
        UsageError: The file cannot be read, a setting or variable is unknown, or a value is nested too deep.

    """
    told = (*_in_file(file), *_in_environment(environment), *_in_flags(sets))
    return {one.path: _shallow(_known(one)) for one in told}


def variable(path: str) -> str:
    """Return the name of the environment variable of a setting."""
    return PREFIX + path.upper().replace(".", "__")


def _known(one: GivenSetting) -> GivenSetting:
    """Return the given setting; raise UsageError if there is no such setting."""
    if one.path not in setting_schemas():
        raise unknown_setting_error(one.path, one.source)
    return one


def _shallow(one: GivenSetting) -> GivenSetting:
    """Return the given setting; raise UsageError if its value is nested too deep.

    Such a value could be neither searched nor printed.
    """
    level = [one.value]
    for _ in range(_DEEPEST):
        level = [
            inner
            for value in level
            if isinstance(value, dict | list)
            for inner in (value.values() if isinstance(value, dict) else value)
        ]
        if not level:
            return one
    raise UsageError(f"The setting `{one.path}` ({one.source}) is refused: {_TOO_DEEP}.", _AS_SET)


def _in_file(file: Path | None) -> Iterator[GivenSetting]:
    """Yield the settings in the TOML file; raise UsageError if it cannot be read."""
    path = file or Path(DEFAULT_FILE)
    if file is None and not path.exists():
        return
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        told = _TOO_DEEP if isinstance(error, RecursionError) else getattr(error, "strerror", None) or error
        mend = f"Mend it there; `{PROGRAM} config init other.toml` writes one that can be used, to compare."
        if isinstance(error, FileNotFoundError):
            mend = f"`{PROGRAM} config init {shlex.quote(str(path))}` writes one there; or name another."
        raise UsageError(f"The settings file {path} cannot be used: {told}", mend) from error
    source = f"file {path}"
    for name, value in document.items():
        if name in sections() and isinstance(value, dict):
            yield from (GivenSetting(f"{name}.{key}", inner, source) for key, inner in value.items())
        else:
            yield GivenSetting(name, value, source)


def _in_environment(environment: Mapping[str, str]) -> Iterator[GivenSetting]:
    """Yield the settings in environment variables; raise UsageError for an unknown one with our prefix."""
    known = {variable(path): path for path in setting_schemas()}
    for name in sorted(environment):
        if name in known:
            yield GivenSetting(known[name], _value(environment[name]), f"environment {name}")
        elif name.startswith(PREFIX) and name not in NO_SETTINGS:
            raise unknown_variable_error(name, [*known, *NO_SETTINGS])


def _in_flags(sets: Iterable[str]) -> Iterator[GivenSetting]:
    """Yield the settings in the values of `--set`; raise UsageError for one without a name or value."""
    for one in sets:
        path, equals, value = one.partition("=")
        if not equals:
            raise UsageError(f"--set {_name_in(one)} has no value.", _AS_SET)
        if not path.strip():
            raise UsageError(f"--set {one} names no setting.", _AS_SET)
        yield GivenSetting(path.strip(), _value(value), "--set")


def _name_in(text: str) -> str:
    """Return the name at the beginning of a text, without the rest: that may be a secret value."""
    found = re.match(r"[\w.-]*", text)
    return found[0] + "..." if found and found[0] != text else text


def _value(text: str) -> Any:
    """Return the value of a text from a shell.

    Lists, mappings, true, false and null are read as JSON. Everything else, also invalid JSON, is text.
    """
    if text[:1] in "[{" or text in ("true", "false", "null"):
        try:
            return json.loads(text)
        except ValueError:
            return text
        except RecursionError:
            # A value that `_shallow` refuses, as it would refuse the text if that could be parsed.
            return json.loads("[" * (_DEEPEST + 1) + "]" * (_DEEPEST + 1))
    return text
