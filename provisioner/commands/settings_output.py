"""What `config` prints: every setting, their schema, and a file to begin with."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path

from provisioner.configuration import Setting
from provisioner.configuration.sample import sample_file
from provisioner.engine.resource_graph.sensitive import SET
from provisioner.errors import UsageError
from provisioner.names import PROGRAM
from provisioner.settings.schema import settings_json_schema
from provisioner.settings.variables import replace_sensitive_values
from provisioner.terminal.console import Console
from provisioner.terminal.fitting import terminal_width
from provisioner.terminal.tables import Narrowing

_COLUMNS = ("setting", "value", "unit", "from")
_NARROW = Narrowing(continued={"value": 20})
# The types of the values of digits alone that have no unit.
_TYPES_OF_DIGITS = ("number", "text")


def print_settings(console: Console, settings: Iterable[Setting]) -> int:
    """Print every setting with its value and the source of the value."""
    if console.as_json:
        console.record("config", settings=[_as_record(setting) for setting in settings])
        return 0
    rows = [(one.schema.path, _as_text(_shown_value(one)), one.schema.unit, one.source) for one in settings]
    if terminal_width(sys.stdout) is None:
        console.table(rows, _COLUMNS)
    else:
        joined = [(path, _with_unit(value, unit), source) for path, value, unit, source in rows]
        console.table(joined, [name for name in _COLUMNS if name != "unit"], _NARROW)
    return 0


def _with_unit(value: str, unit: str) -> str:
    """Return a number with its unit, and any other value as it is: the word for its type says nothing more."""
    return f"{value} {unit}" if value.replace(".", "", 1).isdigit() and unit not in _TYPES_OF_DIGITS else value


def print_schema(console: Console) -> int:
    """Print the JSON Schema of the settings."""
    document = {"$schema": "https://json-schema.org/draft/2020-12/schema", **settings_json_schema()}
    console.document(json.dumps(document, indent=None if console.as_json else 2))
    return 0


def write_settings_file(console: Console, path: Path) -> int:
    """Write a settings file that describes every setting and sets none.

    Raises:
        UsageError: The file exists, or cannot be written.

    """
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(sample_file())
    except FileExistsError:
        raise UsageError(
            f"{path} exists, and is left as it is.",
            f"Name another: `{PROGRAM} config init other.toml`, or look: `{PROGRAM} config show`.",
        ) from None
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror or error}.", "Name a file in a folder of yours."
        ) from error
    if console.as_json:
        console.record("config_init", file=str(path))
    else:
        console.note(f"Wrote {path}: every setting is in it, and none is set yet.")
    return 0


def _as_record(setting: Setting) -> dict[str, object]:
    """Return a setting as a JSON object."""
    return {
        "setting": setting.schema.path,
        "value": _shown_value(setting),
        "source": setting.source,
        "default": setting.schema.default,
        "unit": setting.schema.unit,
        "takes": setting.schema.accepted_values,
        "help": setting.schema.help,
    }


def _shown_value(setting: Setting) -> object:
    """Return a setting's value with the values of variables hidden: the output may be a job's log."""
    return replace_sensitive_values(setting.schema.path, setting.value, lambda _name, _value: SET)


def _as_text(value: object) -> str:
    """Return a value as text for the table."""
    if value is None:
        return "unset"
    return value if isinstance(value, str) else json.dumps(value)
