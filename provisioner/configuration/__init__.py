"""Where the settings come from.

Rising precedence: the default, the TOML file, `MLAPI_<SECTION>__<KEY>` in the environment, `--set`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from provisioner.configuration.refusals import impossible
from provisioner.configuration.sources import Said, said
from provisioner.settings import Settings
from provisioner.settings.knobs import Knob, knobs
from provisioner.settings.profiles import PROFILES

DEFAULT = "default"


class Setting(NamedTuple):
    """One setting with its value, and where that came from."""

    knob: Knob
    value: Any
    source: str


def load(file: Path | None, sets: Iterable[str], environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings from file, environment and flags; UsageError names what is wrong and what is near."""
    return _validated(said(file, sets, environment))


def explained(
    file: Path | None, sets: Iterable[str], environment: Mapping[str, str] = os.environ
) -> list[Setting]:
    """Every setting with its value and its source, in the order of the model."""
    told = said(file, sets, environment)
    settings = _validated(told)
    values, profile = settings.model_dump(mode="json"), PROFILES[settings.profile]

    def source(path: str) -> str:
        if path in told:
            return told[path].source
        return DEFAULT if _at(profile, path) is None else f"profile {settings.profile}"

    return [Setting(knob, _at(values, path), source(path)) for path, knob in knobs().items()]


def _validated(told: Mapping[str, Said]) -> Settings:
    given: dict[str, Any] = {}
    for path, one in told.items():
        *section, key = path.split(".")
        target = given.setdefault(section[0], {}) if section else given
        target[key] = one.value
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        raise impossible(error, {path: one.source for path, one in told.items()}) from error


def _at(values: Mapping[str, Any], path: str) -> Any:
    *section, key = path.split(".")
    return (values.get(section[0], {}) if section else values).get(key)
