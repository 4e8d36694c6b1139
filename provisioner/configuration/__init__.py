"""The sources of the settings, and the merge of all of them.

In rising precedence: the default, the TOML file, `MLAPI_<SECTION>__<KEY>` in the environment, `--set`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from provisioner.configuration.refusals import invalid_settings_error
from provisioner.configuration.sources import GivenSetting, given_settings
from provisioner.settings import Settings
from provisioner.settings.profiles import PROFILES
from provisioner.settings.schema import SettingSchema, setting_schemas

DEFAULT = "default"


class Setting(NamedTuple):
    """One setting with its value and the source of the value."""

    knob: SettingSchema
    value: Any
    source: str


def load(file: Path | None, sets: Iterable[str], environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings from the file, the environment and the `--set` options.

    Args:
        file: The TOML file; None for the default file, which need not exist.
        sets: The values of `--set`, each as `section.key=value`.
        environment: The environment variables.

    Raises:
        UsageError: A setting is unknown or not valid; the message says what is near.

    """
    return _validated(given_settings(file, sets, environment))


def explained(file: Path | None, sets: Iterable[str], environment: Mapping[str, str] = os.environ) -> list[Setting]:
    """Return every setting with its value and its source, in the order of the model.

    The arguments and errors are those of `load`.
    """
    told = given_settings(file, sets, environment)
    settings = _validated(told)
    values, profile = settings.model_dump(mode="json"), PROFILES[settings.profile]

    def source(path: str) -> str:
        if path in told:
            return told[path].source
        return DEFAULT if _at(profile, path) is None else f"profile {settings.profile}"

    return [Setting(schema, _at(values, path), source(path)) for path, schema in setting_schemas().items()]


def _validated(told: Mapping[str, GivenSetting]) -> Settings:
    """Return the validated settings for the given values, by path.

    Raises:
        UsageError: A value is not valid.

    """
    given: dict[str, Any] = {}
    for path, one in told.items():
        *section, key = path.split(".")
        target = given.setdefault(section[0], {}) if section else given
        target[key] = one.value
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        raise invalid_settings_error(error, {path: one.source for path, one in told.items()}) from error


def _at(values: Mapping[str, Any], path: str) -> Any:
    """Return the value at a path such as `section.key`; None if there is none."""
    *section, key = path.split(".")
    return (values.get(section[0], {}) if section else values).get(key)
