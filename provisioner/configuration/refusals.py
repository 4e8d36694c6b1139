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
from provisioner.settings.incompatible import remedy_of
from provisioner.settings.schema import SettingSchema, sections, setting_schemas

# For words of opposite meaning (true, false), the similarity from which a word counts as a typing error.
_TYPED_WRONG = 0.7
# The hint for a mistake in the file or the environment: `config show` reads both and would fail too, while
# `config schema` reads neither.
_SCHEMA = f"`{PROGRAM} config schema`"


def unknown_setting_error(path: str, source: str) -> UsageError:
    """Return the error for an unknown setting, with the name that was probably meant.

    Args:
        path: The unknown path, such as `section.key`.
        source: Where it was given.

    """
    owner = path.rpartition(".")[0]
    if owner in setting_schemas():
        return UsageError(f"`{owner}` holds no settings of its own ({source}).", _written(setting_schemas()[owner]))
    if path in sections():
        inner = ", ".join(one for one in setting_schemas() if one.startswith(f"{path}."))
        return UsageError(f"`{path}` is a group of settings ({source}).", f"It holds {inner}.")
    near = _near(path, setting_schemas()) if "." in path else _near_word(path)
    every = f"`{PROGRAM} config show`" if source == "--set" else _SCHEMA
    hint = f"Did you mean `{near}`? {every} lists them all." if near else f"There are: {', '.join(setting_schemas())}."
    return UsageError(f"There is no setting `{path}` ({source}).", hint)


def unknown_variable_error(name: str, known: Iterable[str]) -> UsageError:
    """Return the error for an environment variable with our prefix that belongs to no setting."""
    near = _near(name, known)
    hint = f"Did you mean `{near}`?" if near else f"Unset it; {_SCHEMA} lists the settings there are."
    return UsageError(f"There is no setting behind the variable {name}.", hint)


def invalid_settings_error(error: ValidationError, sources: Mapping[str, str]) -> UsageError:
    """Return the error for values that failed validation, each with its source and a valid value.

    Args:
        error: The error of pydantic.
        sources: The source of each given setting, by path.

    """
    wrong = [(_path_of(one), one) for one in error.errors()]
    told = [f"{_subject(path, sources)} refused: {_why(path, one)}." for path, one in wrong]
    hints = [hint for path, one in wrong if (hint := _remedy(path, one))]
    return UsageError("\n".join(told), "\n".join(dict.fromkeys(hints)))


def _path_of(one: ErrorDetails) -> str:
    """Return the path of the setting that an error is about; the path of its group if it concerns several."""
    whole = ".".join(str(part) for part in one["loc"])
    return next((path for path in setting_schemas() if whole == path or whole.startswith(f"{path}.")), whole)


def _subject(path: str, sources: Mapping[str, str]) -> str:
    """Return the beginning of a message: the setting and its source, or all settings together."""
    return f"The setting `{path}`{_from(path, sources)} is" if path else "The settings do not go together and are"


def _from(path: str, sources: Mapping[str, str]) -> str:
    """Return the source of a setting in brackets; for a group, the sources of all its settings."""
    named = sources.get(path) or ", ".join(
        dict.fromkeys(source for key, source in sources.items() if key.startswith(f"{path}."))
    )
    return f" ({named})" if named else ""


def _why(path: str, one: ErrorDetails) -> str:
    """Return the reason why a value is not valid, in words."""
    message = one["msg"].removeprefix("Value error, ")
    inside = ".".join(str(part) for part in one["loc"]).removeprefix(path).lstrip(".")
    schema = setting_schemas().get(path)
    if one["type"] == "string_pattern_mismatch":
        message = f"{quoted(one['input'])} is not of the form {one['ctx']['pattern']}"
    elif one["type"] == "extra_forbidden":
        inside, _, unknown = inside.rpartition(".")
        message = f"there is no `{unknown}`"
    elif schema and not inside and one["type"] != "value_error":
        # A value in place of a mapping is not shown: it may be a secret that was meant to go into one.
        given = "this" if one["type"] == "dict_type" else quoted(one["input"])
        message = f"{given} is not {schema.takes}"
    return f"{inside}: {message}" if inside else message


def _remedy(path: str, one: ErrorDetails) -> str:
    """Return the hint for an invalid value: a near value, the valid names, or an example; "" for no hint.

    For values that contradict each other, the hint is the remedy of the error.
    """
    schema = setting_schemas().get(path)
    if (remedy := remedy_of(one)) or schema is None:
        return remedy
    if one["type"] in ("tuple_type", "list_type", "dict_type"):
        return _written(schema, listed=one["type"] != "dict_type")
    if one["type"] == "extra_forbidden":
        near = _near(str(one["loc"][-1]), schema.members)
        return f"Did you mean `{near}`?" if near else f"There are: {', '.join(schema.members)}."
    nearest = _nearest(schema, one)
    if nearest is None and one["type"].startswith("bool"):
        return f"Write `{path}=true` or `{path}=false`."
    if nearest is not None:
        return f"Did you mean `{path}={_plain(nearest)}`?"
    return f"For example `{path}={_plain(schema.example)}`." if schema.example else ""


def _nearest(schema: SettingSchema, one: ErrorDetails) -> Any:
    """Return the valid value nearest to an invalid one; None if none can be determined."""
    bounds = one.get("ctx", {})
    for bound in ("ge", "le"):
        if bound in bounds:
            return bounds[bound]
    if one["type"] == "multiple_of":
        return schema.within(round(float(one["input"]) / bounds["multiple_of"]) * bounds["multiple_of"])
    if one["type"].startswith("bool"):
        return _near(str(one["input"]).lower(), ("true", "false"), _TYPED_WRONG)
    if not schema.choices:
        return None
    if isinstance(schema.choices[0], str):
        return _near(str(one["input"]), schema.choices)
    wanted = float(one["input"]) if re.fullmatch("-?[0-9]{1,9}", str(one["input"])) else 0.0
    return min(schema.choices, key=lambda choice: abs(choice - wanted))


def _near(text: str, known: Iterable[str], cutoff: float = 0.4) -> str | None:
    """Return the known name that is most similar to the text, regardless of case; None if none is similar."""
    lower = {one.lower(): one for one in known}
    found = difflib.get_close_matches(text.lower(), lower, n=1, cutoff=cutoff)
    return lower[found[0]] if found else None


def _near_word(word: str) -> str | None:
    """Return the path that a word without a dot probably means.

    That is a setting whose group was left out, or else the most similar of all groups and settings.
    """
    ends = {path.rpartition(".")[2]: path for path in reversed(list(setting_schemas()))}
    return ends.get(word) or _near(word, [*sections(), *setting_schemas()])


def _written(schema: SettingSchema, *, listed: bool = False) -> str:
    """Return the hint how to write a list or mapping for `--set`."""
    example = schema.default or (["value"] if listed else {"NAME": "value"})
    return f"Lists and mappings are JSON: --set '{schema.path}={json.dumps(example)}'"


def _plain(value: Any) -> str:
    """Return a value as it is written after `--set path=`."""
    return value if isinstance(value, str) else json.dumps(value)
