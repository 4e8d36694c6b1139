"""The settings of the last apply, as the state keeps them, and what differs from them now.

The state has each setting that was given, with its source; a value that may be secret is there as a fingerprint.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from provisioner.configuration import FILE_SOURCE, SET_OPTION, GivenSetting, setting_value
from provisioner.engine.resource_graph.sensitive import CHANGED, SET
from provisioner.errors import UsageError
from provisioner.names import name_of
from provisioner.resources.ecs.overrides import running_variables
from provisioner.session import Session
from provisioner.settings import Settings
from provisioner.settings.profiles import DEFAULT_PROFILE, PROFILES
from provisioner.settings.schema import setting_schemas
from provisioner.settings.variables import is_sensitive, replace_sensitive_values, sensitive_values
from state.fingerprints import fingerprint_of, matches_fingerprint

# As in the state: by path, the value and its source.
Applied = Mapping[str, Mapping[str, Any]]
Given = Mapping[str, GivenSetting]
_UNSET = "unset"


@dataclass(frozen=True)
class SettingChange:
    """A setting, or one member of it, whose value differs from that of the last apply; both values as shown."""

    path: str
    before: str
    after: str

    def __str__(self) -> str:
        if self.after in (SET, CHANGED):
            return f"{self.path} {self.after}"
        return f"{self.path} {self.before} -> {self.after}"


def applied_settings(given: Given, settings: Settings, salt: str) -> dict[str, dict[str, Any]]:
    """Return the given settings as the state keeps them, without values that may be secret."""
    values = settings.model_dump(mode="json")
    return {
        path: {
            "value": replace_sensitive_values(path, setting_value(values, path), partial(fingerprint_of, salt)),
            "source": setting.source,
        }
        for path, setting in given.items()
    }


def setting_changes(before: Applied, after: Applied) -> list[SettingChange]:
    """Return what differs between two sets of given settings; what only follows from the profile is left out."""
    paths = [path for path in setting_schemas() if path in before or path in after]
    return [
        change
        for path in paths
        for change in _value_changes(path, _effective_value(before, path), _effective_value(after, path))
    ]


def dropped_options(before: Applied, given: Given) -> dict[str, Any]:
    """Return the settings that `--set` gave at the last apply and that nobody gives now, by path."""
    known = setting_schemas()
    return {
        path: setting["value"]
        for path, setting in before.items()
        if setting["source"] == SET_OPTION and path in known and path not in given
    }


def describe_changes(before: Applied | None, given: Given, settings: Settings, salt: str) -> list[str]:
    """Return sentences about what differs from the last apply; empty if nothing does, or there was none."""
    if before is None:
        return []
    changes = setting_changes(before, applied_settings(given, settings, salt))
    notes = [f"Settings changed since the last apply: {', '.join(map(str, changes))}."] if changes else []
    files = _file_sources(setting["source"] for setting in before.values())
    if changes and files and not _file_sources(setting.source for setting in given.values()):
        notes.append(
            f"The last apply had settings of the {', '.join(files)}; now no file gives any. Name it: --config."
        )
    if dropped := dropped_options(before, given):
        options = ", ".join(
            f"`--set {path}={_as_option_value(_hidden(path, value))}`" for path, value in dropped.items()
        )
        notes.append(f"Given at the last apply and not now: {options}. `--keep-settings` gives the same again.")
    return notes


def _file_sources(sources: Iterable[str]) -> list[str]:
    """Return those of the sources that are files, each once."""
    return [source for source in dict.fromkeys(sources) if source.startswith(FILE_SOURCE)]


def kept_options(session: Session) -> list[str]:
    """Return the `--set` options of the last apply that nobody gives now, as they are written after `--set`.

    The state has only the fingerprints of environment variables: their values are read from the task definitions
    that run, and taken only if they are those of the last apply.

    Raises:
        UsageError: No settings are remembered, or the value of a variable is not known any more.

    """
    if session.state.settings is None:
        raise UsageError(
            f"No settings of the stack {session.suffix} are remembered: there is nothing to keep.",
            "Leave --keep-settings out, and give with --set what the stack is to have.",
        )
    dropped = dropped_options(session.state.settings, session.given)
    variables = {
        path: _recovered_variables(session, path, fingerprints)
        for setting, value in dropped.items()
        for path, fingerprints in sensitive_values(setting, value).items()
    }
    if missing := [f"{path}.{name}" for path in variables for name, value in variables[path].items() if value is None]:
        raise UsageError(
            f"The values of {', '.join(missing)} are not known: the state keeps no value that may be secret, and the "
            "task definition that runs does not have those of the last apply.",
            f"Give {', '.join(f'`--set {path}=...`' for path in _settings_of(missing, dropped))} again, whole.",
        )
    return [f"{path}={_as_option_value(_with_variables(path, value, variables))}" for path, value in dropped.items()]


def _settings_of(variables: Iterable[str], settings: Iterable[str]) -> list[str]:
    """Return those settings in whose values the variables are, given by their paths."""
    return [setting for setting in settings if any(path.startswith(f"{setting}.") for path in variables)]


def _recovered_variables(session: Session, path: str, fingerprints: Mapping[str, str]) -> dict[str, str | None]:
    """Return the variables at a path with the values that the service runs with; None for one with another value.

    Another value was chosen after that apply, or that apply did not come so far.
    """
    running = _running_variables(session, _service_of(path))
    return {
        name: running[name] if name in running and matches_fingerprint(fingerprint, name, running[name]) else None
        for name, fingerprint in fingerprints.items()
    }


def _running_variables(session: Session, logical_id: str) -> dict[str, str]:
    """Return the environment variables that a service of the state runs with; {} if there is no such service."""
    service = session.state.resources.get(logical_id)
    if service is None:
        return {}
    return running_variables(session.clients, name_of("cluster", session.suffix), service.id or service.aws_name)


def _service_of(path: str) -> str:
    """Return the logical id of the service that runs with the variables at a path."""
    *_, group, name, _ = ("", "", *path.split("."))
    return f"service.{name}" if group == "services" else "service"


def _with_variables(path: str, value: Any, variables: Mapping[str, Mapping[str, str | None]]) -> Any:
    """Return the value of a setting with the values of environment variables in place of their fingerprints."""
    if not isinstance(value, Mapping):
        return value
    if is_sensitive(path):
        return dict(variables[path])
    return {key: _with_variables(f"{path}.{key}", member, variables) for key, member in value.items()}


def _effective_value(given: Applied, path: str) -> Any:
    """Return the value of a setting: the given one, else that of the profile, else the default."""
    if path in given:
        return given[path]["value"]
    profile = PROFILES.get(str(given.get("profile", {}).get("value", DEFAULT_PROFILE)), {})
    value = setting_value(profile, path)
    if path == "profile":
        return DEFAULT_PROFILE
    return setting_schemas()[path].default if value is None else value


def _value_changes(path: str, before: Any, after: Any) -> Iterator[SettingChange]:
    """Yield the difference of two values, member by member for mappings."""
    if before == after:
        return
    if isinstance(before or {}, Mapping) and isinstance(after or {}, Mapping) and (before or after):
        for key in dict.fromkeys([*(before or {}), *(after or {})]):
            yield from _member_changes(path, key, before or {}, after or {})
    else:
        yield SettingChange(path, _as_text(before), _as_text(after))


def _member_changes(
    path: str, key: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[SettingChange]:
    """Yield the difference in one member of a mapping; the values of variables are not shown."""
    if not is_sensitive(path):
        yield from _value_changes(f"{path}.{key}", before.get(key), after.get(key))
    elif key not in after:
        yield SettingChange(f"{path}.{key}", SET, _UNSET)
    elif before.get(key) != after[key]:
        yield SettingChange(f"{path}.{key}", "", CHANGED if key in before else SET)


def _as_text(value: Any) -> str:
    """Return a value as it is shown in a sentence."""
    return _UNSET if value is None else _as_option_value(value)


def _hidden(path: str, value: Any) -> Any:
    """Return the value of a setting with the values of environment variables hidden, and without unset members."""
    if isinstance(value, Mapping) and not is_sensitive(path):
        return {key: _hidden(f"{path}.{key}", member) for key, member in value.items() if member is not None}
    return replace_sensitive_values(path, value, lambda _name, _value: "...")


def _as_option_value(value: Any) -> str:
    """Return a value as it is written after `--set PATH=`."""
    return value if isinstance(value, str) else json.dumps(value)
