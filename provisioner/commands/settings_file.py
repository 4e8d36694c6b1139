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
from tomlkit.items import InlineTable, Table

from provisioner.configuration import (
    given_settings,
    setting_value,
    settings_in,
    unusable_file_error,
    validate_settings,
)
from provisioner.configuration.errors import unknown_setting_error
from provisioner.engine.resource_graph.sensitive import SET
from provisioner.errors import UsageError
from provisioner.settings.schema import sections, setting_schemas
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
        _report_set(console, path, setting, shown)
    return 0


def unset_settings(console: Console, path: Path, settings: Iterable[str]) -> int:
    """Take each setting out of the file; its default counts again. What is no setting (any more) may be taken out too.

    Raises:
        UsageError: There is neither such a setting nor such a key in the file, what would remain is not valid, or
            the file cannot be used.

    """
    if not path.exists():
        raise UsageError(f"There is no settings file {path}.", "Name the one that sets it, with --config.")
    document, names = _read(path), list(dict.fromkeys(settings))
    held = [name for name in names if _holds(document, name)]
    for name in names:
        if name in sections():
            raise unknown_setting_error(name, "config unset")
        if name not in setting_schemas() and name not in held:
            raise unknown_setting_error(name, f"not in {path} either")
    for name in held:
        _take_out(document, name)
    validate_settings(settings_in(document.unwrap(), path))
    text = tomlkit.dumps(document).strip("\n")
    if held:
        _write(path, f"{text}\n" if text else "")
    for name in names:
        _report_unset(console, path, name, was_set=name in held)
    return 0


def _holds(document: tomlkit.TOMLDocument, name: str) -> bool:
    """Return whether the document has a value, or a table, at a path such as `section.key`."""
    section, _, key = name.rpartition(".")
    table = document.get(section) if section else document
    return isinstance(table, Mapping) and key in table


def _take_out(document: tomlkit.TOMLDocument, name: str) -> None:
    """Delete what is at a path, and its section if that is empty then and has no comment."""
    section, _, key = name.rpartition(".")
    if not section:
        del document[key]
        return
    table = document[section]
    del table[key]
    if not table and isinstance(table, (Table, InlineTable)) and "#" not in table.trivia.comment + table.as_string():
        del document[section]


def _given_changes(path: Path, assignments: Iterable[str]) -> dict[str, Any]:
    """Return the settings that are given as `section.key=value`, with the file as their source."""
    parsed = given_settings(Path(os.devnull), assignments, _NO_ENVIRONMENT)
    return {name: setting._replace(source=f"file {path}") for name, setting in parsed.items()}


def _read(path: Path) -> tomlkit.TOMLDocument:
    """Return the file's document, with its comments; an empty one if there is no file."""
    try:
        return tomlkit.parse(path.read_text(encoding="utf-8")) if path.exists() else tomlkit.document()
    except (OSError, ValueError, RecursionError, TOMLKitError) as error:
        raise unusable_file_error(path, error) from error


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


def _report_set(console: Console, path: Path, setting: str, value: Any) -> None:
    """Say what the file holds now of one setting."""
    if console.as_json:
        console.record("config_set", file=str(path), setting=setting, value=value)
    else:
        console.text(f"{setting} = {json.dumps(value)} in {path}")


def _report_unset(console: Console, path: Path, setting: str, *, was_set: bool) -> None:
    """Say that the file does not hold a setting, any more or all the time."""
    if console.as_json:
        console.record("config_set", file=str(path), setting=setting, value=None, was_set=was_set)
    elif was_set:
        console.text(f"{setting} is not set in {path} any more.")
    else:
        console.text(f"{setting} was not set in {path}: there was nothing to take out.")
