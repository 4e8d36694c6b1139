"""`config set` and `config unset`: single settings changed in the settings file, whose comments stay."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from provisioner.configuration import given_settings, setting_value, validate_settings
from provisioner.configuration.errors import unknown_setting_error
from provisioner.engine.resource_graph.sensitive import SET
from provisioner.errors import UsageError
from provisioner.settings.schema import setting_schemas
from provisioner.settings.variables import replace_sensitive_values
from provisioner.terminal.console import Console

_NO_ENVIRONMENT: Mapping[str, str] = {}


def set_settings(console: Console, path: Path, assignments: Iterable[str]) -> int:
    """Set each `section.key=value` in the file, which is made if there is none; all or nothing.

    Raises:
        UsageError: A setting is unknown, a value is not valid beside the others, or the file cannot be used.

    """
    given_now = given_settings(path, (), _NO_ENVIRONMENT) if path.exists() else {}
    changes = _given_changes(path, assignments)
    values = validate_settings({**given_now, **changes}).model_dump(mode="json")
    document = _read(path)
    for setting in changes:
        section, _, key = setting.rpartition(".")
        table = document if not section else document.setdefault(section, tomlkit.table())
        table[key] = _to_toml_value(setting_value(values, setting))
    _write(path, tomlkit.dumps(document))
    for setting in changes:
        shown = replace_sensitive_values(setting, setting_value(values, setting), lambda _name, _value: SET)
        _report(console, path, setting, shown)
    return 0


def unset_settings(console: Console, path: Path, settings: Iterable[str]) -> int:
    """Take each setting out of the file; its default counts again.

    Raises:
        UsageError: There is no such setting, the others need it, or the file cannot be used.

    """
    names = list(settings)
    for name in names:
        if name not in setting_schemas():
            raise unknown_setting_error(name, "config unset")
    if not path.exists():
        raise UsageError(f"There is no settings file {path}.", "Name the one that sets it, with --config.")
    given_now = given_settings(path, (), _NO_ENVIRONMENT)
    validate_settings({name: setting for name, setting in given_now.items() if name not in names})
    document = _read(path)
    for name in names:
        section, _, key = name.rpartition(".")
        table = document if not section else document.get(section, {})
        if key in table:
            del table[key]
    _write(path, tomlkit.dumps(document))
    for name in names:
        _report(console, path, name, None)
    return 0


def _given_changes(path: Path, assignments: Iterable[str]) -> dict[str, Any]:
    """Return the settings that are given as `section.key=value`, with the file as their source."""
    parsed = given_settings(Path(os.devnull), assignments, _NO_ENVIRONMENT)
    return {name: setting._replace(source=f"file {path}") for name, setting in parsed.items()}


def _read(path: Path) -> tomlkit.TOMLDocument:
    """Return the file's document, with its comments; an empty one if there is no file."""
    try:
        return tomlkit.parse(path.read_text(encoding="utf-8")) if path.exists() else tomlkit.document()
    except (OSError, ValueError, TOMLKitError) as error:
        raise UsageError(f"The settings file {path} cannot be used: {error}", "Mend it there.") from error


def _to_toml_value(value: Any) -> Any:
    """Return a value as it is put into the document: a mapping as an inline table."""
    if not isinstance(value, Mapping):
        return value
    table = tomlkit.inline_table()
    table.update({key: _to_toml_value(member) for key, member in value.items() if member is not None})
    return table


def _write(path: Path, text: str) -> None:
    """Replace the file at once, with the rights that it had; of a symbolic link, the file that it leads to.

    Raises:
        UsageError: It cannot be written.

    """
    target = path.resolve()
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with temporary.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, temporary)
        temporary.replace(target)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise UsageError(f"{path} cannot be written: {error.strerror or error}.", "Name a file of yours.") from error


def _report(console: Console, path: Path, setting: str, value: Any) -> None:
    """Say what the file holds now of one setting; None if it is not set there any more."""
    if console.as_json:
        console.record("config_set", file=str(path), setting=setting, value=value)
    elif value is None:
        console.text(f"{setting} is not set in {path} any more.")
    else:
        console.text(f"{setting} = {json.dumps(value)} in {path}")
