"""The sources of the settings, and the merge of all of them.

In rising precedence: the default, the TOML file, `MLAPI_<SECTION>__<KEY>` in the environment, `--set`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from provisioner.configuration.errors import invalid_settings_error
from provisioner.configuration.sources import (
    FILE_SOURCE,
    SET_OPTION,
    GivenSetting,
    given_settings,
    read_set_option,
    settings_in,
    unusable_file_error,
)
from provisioner.settings import Settings
from provisioner.settings.profiles import PROFILES
from provisioner.settings.schema import SettingSchema, setting_schemas

DEFAULT = "default"
__all__ = [
    "FILE_SOURCE",
    "SET_OPTION",
    "GivenSetting",
    "Setting",
    "explain_settings",
    "given_settings",
    "load_settings",
    "read_set_option",
    "setting_value",
    "settings_in",
    "unusable_file_error",
    "validate_settings",
]


class Setting(NamedTuple):
    """One setting with its value and the source of the value."""

    schema: SettingSchema
    value: Any
    source: str


def load_settings(file: Path | None, sets: Iterable[str], environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings from the file, the environment and the `--set` options.

    Args:
        file: The TOML file; None for the nearest default file, which need not exist.
        sets: The values of `--set`, each as `section.key=value`.
        environment: The environment variables.

    Raises:
        UsageError: A setting is unknown or not valid; the message says what is near.

    """
    return validate_settings(given_settings(file, sets, environment))


def explain_settings(
    file: Path | None, sets: Iterable[str], environment: Mapping[str, str] = os.environ
) -> list[Setting]:
    """Return every setting with its value and its source, in the order of the model.

    The arguments and errors are those of `load_settings`.
    """
    given = given_settings(file, sets, environment)
    settings = validate_settings(given)
    values, profile = settings.model_dump(mode="json"), PROFILES[settings.profile]

    def source(path: str) -> str:
        if path in given:
            return given[path].source
        return DEFAULT if setting_value(profile, path) is None else f"profile {settings.profile}"

    return [Setting(schema, setting_value(values, path), source(path)) for path, schema in setting_schemas().items()]


def validate_settings(given_by_path: Mapping[str, GivenSetting]) -> Settings:
    """Return the settings that the given values, by path, make.

    Raises:
        UsageError: A value is not valid.

    """
    nested: dict[str, Any] = {}
    for path, setting in given_by_path.items():
        *section, key = path.split(".")
        target = nested.setdefault(section[0], {}) if section else nested
        target[key] = setting.value
    try:
        return Settings.model_validate(nested)
    except ValidationError as error:
        sources = {path: setting.source for path, setting in given_by_path.items()}
        raise invalid_settings_error(error, sources) from error


def setting_value(values: Mapping[str, Any], path: str) -> Any:
    """Return the value at a path such as `section.key`; None if there is none."""
    *section, key = path.split(".")
    return (values.get(section[0], {}) if section else values).get(key)
