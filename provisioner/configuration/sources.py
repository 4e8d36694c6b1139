"""Reading the given settings from the file, the environment and `--set`."""

from __future__ import annotations

import json
import os
import re
import shlex
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from provisioner.configuration.errors import unknown_setting_error, unknown_variable_error
from provisioner.errors import UsageError
from provisioner.names import PROGRAM
from provisioner.project_folder import find_settings_file
from provisioner.settings.schema import sections, setting_schemas

# The source of what an option gives, and the beginning of that of what a file gives.
SET_OPTION = "--set"
FILE_SOURCE = "file "
_SET_SYNTAX = "Write it as --set section.key=value."
PREFIX = "MLAPI_"
OTHER_VARIABLES = ("MLAPI_HOME", "MLAPI_STATE", "MLAPI_STATE_ENDPOINT", "MLAPI_LOCAL")


# The value of no setting is nested deeper (api.services.NAME.environment.NAME has 4 levels).
_MAX_DEPTH = 16
_TOO_DEEP = f"brackets are nested more than {_MAX_DEPTH} deep"


class GivenSetting(NamedTuple):
    """A given value of one setting, and its source."""

    path: str
    value: Any
    source: str


def given_settings(
    file: Path | None, sets: Iterable[str], environment: Mapping[str, str] = os.environ
) -> dict[str, GivenSetting]:
    """Return the given settings by path; a later source overrides an earlier one.

    The order is the file, the environment, `--set`.

    Args:
        file: The TOML file; None for the nearest default file, which need not exist.
        sets: The values of `--set`, each as `section.key=value`.
        environment: The environment variables.

    Raises:
        UsageError: The file cannot be read, a setting or variable is unknown, or a value is nested too deep.

    """
    return _by_path((*_read_file(file), *_read_environment(environment), *map(read_set_option, sets)))


def settings_in(document: Mapping[str, Any], file: Path) -> dict[str, GivenSetting]:
    """Return the settings by path that a TOML document gives; `file` is where it is.

    Raises:
        UsageError: A setting is unknown, or a value is nested too deep.

    """
    return _by_path(_settings_of(document, file))


def variable_name(path: str) -> str:
    """Return the name of the environment variable of a setting."""
    return PREFIX + path.upper().replace(".", "__")


def _by_path(given: Iterable[GivenSetting]) -> dict[str, GivenSetting]:
    """Return the given settings by path, the last one of each; raise UsageError for one that cannot be used."""
    by_path = {setting.path: setting for setting in given}
    for path, setting in by_path.items():
        if path not in setting_schemas():
            raise unknown_setting_error(path, setting.source)
        if _is_deeper(setting.value, _MAX_DEPTH):
            raise UsageError(f"The setting `{path}` ({setting.source}) is refused: {_TOO_DEEP}.", _SET_SYNTAX)
    return by_path


def _is_deeper(value: Any, levels: int) -> bool:
    """Return whether mappings and lists are nested in more levels; such a value could be neither searched nor shown."""
    if not isinstance(value, (dict, list)):
        return False
    members = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(member, levels - 1) for member in members)


def unusable_file_error(path: Path, error: Exception) -> UsageError:
    """Return the error for a settings file that cannot be read, or is no TOML."""
    reason = _TOO_DEEP if isinstance(error, RecursionError) else getattr(error, "strerror", None) or error
    remedy = f"Mend it there; `{PROGRAM} config init other.toml` writes one that can be used, to compare."
    if isinstance(error, FileNotFoundError):
        remedy = f"`{PROGRAM} config init {shlex.quote(str(path))}` writes one there; or name another."
    return UsageError(f"The settings file {path} cannot be used: {reason}", remedy)


def _read_file(file: Path | None) -> Iterator[GivenSetting]:
    """Yield the settings in the TOML file; raise UsageError if it cannot be read."""
    path = file or find_settings_file()
    if path is None:
        return
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise unusable_file_error(path, error) from error
    yield from _settings_of(document, path)


def _settings_of(document: Mapping[str, Any], file: Path) -> Iterator[GivenSetting]:
    """Yield what a TOML document gives, known or not."""
    source = f"{FILE_SOURCE}{file}"
    for name, value in document.items():
        if name in sections() and isinstance(value, dict):
            yield from (GivenSetting(f"{name}.{key}", member, source) for key, member in value.items())
        else:
            yield GivenSetting(name, value, source)


def _read_environment(environment: Mapping[str, str]) -> Iterator[GivenSetting]:
    """Yield the settings in environment variables; raise UsageError for an unknown one with our prefix."""
    paths_by_variable = {variable_name(path): path for path in setting_schemas()}
    for name in sorted(environment):
        if name in paths_by_variable:
            yield GivenSetting(paths_by_variable[name], _parse_value(environment[name]), f"environment {name}")
        elif name.startswith(PREFIX) and name not in OTHER_VARIABLES:
            raise unknown_variable_error(name, [*paths_by_variable, *OTHER_VARIABLES])


def read_set_option(option: str) -> GivenSetting:
    """Return the setting that one `--set` gives, unchecked; raise UsageError for one without a name or value."""
    path, equals, value = option.partition("=")
    if not equals:
        raise UsageError(f"--set {_leading_name(option)} has no value.", _SET_SYNTAX)
    if not path.strip():
        raise UsageError("--set =... names no setting.", _SET_SYNTAX)
    return GivenSetting(path.strip(), _parse_value(value), SET_OPTION)


def _leading_name(text: str) -> str:
    """Return the name at the beginning of a text, without the rest: that may be a secret value."""
    match = re.match(r"[\w.-]*", text)
    return match[0] + "..." if match and match[0] != text else text


def _parse_value(text: str) -> Any:
    """Return the value of a text from a shell.

    Lists, mappings, true, false and null are read as JSON. Everything else, also invalid JSON, is text.
    """
    if text[:1] in "[{" or text in ("true", "false", "null"):
        try:
            return json.loads(text)
        except ValueError:
            return text
        except RecursionError:
            # The text is nested too deep to be parsed: return a value that `_by_path` refuses for that.
            return json.loads("[" * (_MAX_DEPTH + 1) + "]" * (_MAX_DEPTH + 1))
    return text
