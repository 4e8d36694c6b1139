"""The errors for unknown and invalid settings, with the nearest valid name or value as a hint."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from provisioner.errors import UsageError, quoted
from provisioner.names import PROGRAM
from provisioner.settings.schema import SettingSchema, sections, setting_schemas
from provisioner.settings.section import remedy_of

# For words of opposite meaning (true, false), the similarity from which a word counts as a typing error.
_TYPO_CUTOFF = 0.7
# The hint for a mistake in the file or the environment: `config show` reads both and would fail too, while
# `config schema` reads neither.
_SCHEMA_COMMAND = f"`{PROGRAM} config schema`"


def unknown_setting_error(path: str, source: str) -> UsageError:
    """Return the error for an unknown setting, with the name that was probably meant.

    Args:
        path: The unknown path, such as `section.key`.
        source: Where it was given.

    """
    parent = path.rpartition(".")[0]
    if parent in setting_schemas():
        return UsageError(f"`{parent}` holds no settings of its own ({source}).", _json_hint(setting_schemas()[parent]))
    if path in sections():
        members = ", ".join(name for name in setting_schemas() if name.startswith(f"{path}."))
        return UsageError(f"`{path}` is a group of settings ({source}).", f"It holds {members}.")
    suggestion = _most_similar(path, setting_schemas()) if "." in path else _path_for_word(path)
    list_command = f"`{PROGRAM} config show`" if source == "--set" else _SCHEMA_COMMAND
    hint = f"There are: {', '.join(setting_schemas())}."
    if suggestion:
        hint = f"Did you mean `{suggestion}`? {list_command} lists them all."
    return UsageError(f"There is no setting `{path}` ({source}).", hint)


def unknown_variable_error(name: str, known: Iterable[str]) -> UsageError:
    """Return the error for an environment variable with our prefix that belongs to no setting."""
    suggestion = _most_similar(name, known)
    hint = (
        f"Did you mean `{suggestion}`?" if suggestion else f"Unset it; {_SCHEMA_COMMAND} lists the settings there are."
    )
    return UsageError(f"There is no setting behind the variable {name}.", hint)


def invalid_settings_error(error: ValidationError, sources: Mapping[str, str]) -> UsageError:
    """Return the error for values that failed validation, each with its source and a valid value.

    Args:
        error: The error of pydantic.
        sources: The source of each given setting, by path.

    """
    problems = [(_setting_path(detail), detail) for detail in error.errors()]
    messages = [f"{_subject(path, sources)} refused: {_reason(path, detail)}." for path, detail in problems]
    hints = [hint for path, detail in problems if (hint := _remedy(path, detail))]
    return UsageError("\n".join(messages), "\n".join(dict.fromkeys(hints)))


def _setting_path(detail: ErrorDetails) -> str:
    """Return the path of the setting that an error is about; the path of its group if it concerns several."""
    full_path = ".".join(str(part) for part in detail["loc"])
    return next(
        (path for path in setting_schemas() if full_path == path or full_path.startswith(f"{path}.")), full_path
    )


def _subject(path: str, sources: Mapping[str, str]) -> str:
    """Return the beginning of a message: the setting and its source, or all settings together."""
    if not path:
        return "The settings do not go together and are"
    return f"The setting `{path}`{_sources_phrase(path, sources)} is"


def _sources_phrase(path: str, sources: Mapping[str, str]) -> str:
    """Return the source of a setting in brackets; for a group, the sources of all its settings."""
    names = sources.get(path) or ", ".join(
        dict.fromkeys(source for other_path, source in sources.items() if other_path.startswith(f"{path}."))
    )
    return f" ({names})" if names else ""


def _reason(path: str, detail: ErrorDetails) -> str:
    """Return the reason why a value is not valid, in words."""
    message = detail["msg"].removeprefix("Value error, ")
    inner_path = ".".join(str(part) for part in detail["loc"]).removeprefix(path).lstrip(".")
    schema = setting_schemas().get(path)
    if detail["type"] == "string_pattern_mismatch":
        message = f"{quoted(detail['input'])} is not of the form {detail['ctx']['pattern']}"
    elif detail["type"] == "extra_forbidden":
        inner_path, _, unknown = inner_path.rpartition(".")
        message = f"there is no `{unknown}`"
    elif schema and not inner_path and detail["type"] != "value_error":
        # A value in place of a mapping is not shown: it may be a secret that was meant to go into one.
        shown = "this" if detail["type"] == "dict_type" else quoted(detail["input"])
        message = f"{shown} is not {schema.accepted_values}"
    return f"{inner_path}: {message}" if inner_path else message


def _remedy(path: str, detail: ErrorDetails) -> str:
    """Return the hint for an invalid value: a near value, the valid names, or an example; "" for no hint.

    For values that contradict each other, the hint is the remedy of the error.
    """
    schema = setting_schemas().get(path)
    if (remedy := remedy_of(detail)) or schema is None:
        return remedy
    if detail["type"] in ("tuple_type", "list_type", "dict_type"):
        return _json_hint(schema, listed=detail["type"] != "dict_type")
    if detail["type"] == "extra_forbidden":
        suggestion = _most_similar(str(detail["loc"][-1]), schema.members)
        return f"Did you mean `{suggestion}`?" if suggestion else f"There are: {', '.join(schema.members)}."
    nearest = _nearest_value(schema, detail)
    if nearest is None and detail["type"].startswith("bool"):
        return f"Write `{path}=true` or `{path}=false`."
    if nearest is not None:
        return f"Did you mean `{path}={_to_text(nearest)}`?"
    return f"For example `{path}={_to_text(schema.example)}`." if schema.example else ""


def _nearest_value(schema: SettingSchema, detail: ErrorDetails) -> Any:
    """Return the valid value nearest to an invalid one; None if none can be determined."""
    bounds = detail.get("ctx", {})
    for bound in ("ge", "le"):
        if bound in bounds:
            return bounds[bound]
    if detail["type"] == "multiple_of":
        return schema.clamp(round(float(detail["input"]) / bounds["multiple_of"]) * bounds["multiple_of"])
    if detail["type"].startswith("bool"):
        return _most_similar(str(detail["input"]).lower(), ("true", "false"), _TYPO_CUTOFF)
    if not schema.choices:
        return None
    if isinstance(schema.choices[0], str):
        return _most_similar(str(detail["input"]), schema.choices)
    number = float(detail["input"]) if re.fullmatch("-?[0-9]{1,9}", str(detail["input"])) else 0.0
    return min(schema.choices, key=lambda choice: abs(choice - number))


def _most_similar(text: str, known: Iterable[str], cutoff: float = 0.4) -> str | None:
    """Return the known name that is most similar to the text, regardless of case; None if none is similar."""
    by_lower_case = {name.lower(): name for name in known}
    matches = difflib.get_close_matches(text.lower(), by_lower_case, n=1, cutoff=cutoff)
    return by_lower_case[matches[0]] if matches else None


def _path_for_word(word: str) -> str | None:
    """Return the path that a word without a dot probably means.

    That is a setting whose group was left out, or else the most similar of all groups and settings.
    """
    paths_by_key = {path.rpartition(".")[2]: path for path in reversed(list(setting_schemas()))}
    return paths_by_key.get(word) or _most_similar(word, [*sections(), *setting_schemas()])


def _json_hint(schema: SettingSchema, *, listed: bool = False) -> str:
    """Return the hint how to write a list or mapping for `--set`."""
    example = schema.default or (["value"] if listed else {"NAME": "value"})
    return f"Lists and mappings are JSON: --set '{schema.path}={json.dumps(example)}'"


def _to_text(value: Any) -> str:
    """Return a value as it is written after `--set path=`."""
    return value if isinstance(value, str) else json.dumps(value)
