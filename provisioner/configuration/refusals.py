"""What is wrong with a setting, and the nearest that is right."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from provisioner.errors import UsageError
from provisioner.names import PROGRAM
from provisioner.settings.knobs import Knob, knobs, sections

# Of two words that mean the opposite, the nearer one is meant only where a letter or two are wrong.
_TYPED_WRONG = 0.7
_ALL = f"`{PROGRAM} config show` lists them all."


def no_such_setting(path: str, source: str) -> UsageError:
    """A key that is none, and the one that may be meant."""
    owner = path.rpartition(".")[0]
    if owner in knobs():
        return UsageError(f"`{owner}` holds no settings of its own ({source}).", _written(knobs()[owner]))
    if path in sections():
        inner = ", ".join(one for one in knobs() if one.startswith(f"{path}."))
        return UsageError(f"`{path}` is a group of settings ({source}).", f"It holds {inner}.")
    near = _near(path, knobs()) if "." in path else _near_word(path)
    hint = f"Did you mean `{near}`? {_ALL}" if near else f"There are: {', '.join(knobs())}."
    return UsageError(f"There is no setting `{path}` ({source}).", hint)


def no_such_variable(name: str, known: Iterable[str]) -> UsageError:
    """A variable that bears our prefix and is none of ours."""
    near = _near(name, known)
    hint = f"Did you mean `{near}`?" if near else _ALL
    return UsageError(f"There is no setting behind the variable {name}.", hint)


def impossible(error: ValidationError, sources: Mapping[str, str]) -> UsageError:
    """Values that cannot be, each with where it was said, and what can be instead."""
    wrong = [(_path_of(one), one) for one in error.errors()]
    told = [f"{_subject(path, sources)} refused: {_why(path, one)}." for path, one in wrong]
    hints = [hint for path, one in wrong if (hint := _remedy(path, one))]
    return UsageError("\n".join(told), "\n".join(dict.fromkeys(hints)) or _ALL)


def _path_of(one: ErrorDetails) -> str:
    """The setting itself, whatever in it is wrong; a group where its members do not go together."""
    whole = ".".join(str(part) for part in one["loc"])
    return next((path for path in knobs() if whole == path or whole.startswith(f"{path}.")), whole)


def _subject(path: str, sources: Mapping[str, str]) -> str:
    return (
        f"The setting `{path}`{_from(path, sources)} is"
        if path
        else "The settings do not go together and are"
    )


def _from(path: str, sources: Mapping[str, str]) -> str:
    named = sources.get(path) or ", ".join(
        dict.fromkeys(source for key, source in sources.items() if key.startswith(f"{path}."))
    )
    return f" ({named})" if named else ""


def _why(path: str, one: ErrorDetails) -> str:
    message = one["msg"].removeprefix("Value error, ")
    inside = ".".join(str(part) for part in one["loc"]).removeprefix(path).lstrip(".")
    knob = knobs().get(path)
    if one["type"] == "string_pattern_mismatch":
        message = f"{json.dumps(one['input'])} is not of the form {one['ctx']['pattern']}"
    elif one["type"] == "extra_forbidden":
        inside, _, unknown = inside.rpartition(".")
        message = f"there is no `{unknown}`"
    elif knob and not inside and one["type"] != "value_error":
        # What stands where a mapping belongs may be a secret that was meant to go into one.
        given = "this" if one["type"] == "dict_type" else json.dumps(one["input"], default=str)
        message = f"{given} is not {knob.takes}"
    return f"{inside}: {message}" if inside else message


def _remedy(path: str, one: ErrorDetails) -> str:
    knob = knobs().get(path)
    if knob is None:
        return ""
    if one["type"] in ("tuple_type", "list_type", "dict_type"):
        return _written(knob, listed=one["type"] != "dict_type")
    if one["type"] == "extra_forbidden":
        near = _near(str(one["loc"][-1]), knob.members)
        return f"Did you mean `{near}`?" if near else f"There are: {', '.join(knob.members)}."
    nearest = _nearest(knob, one)
    if nearest is None and one["type"].startswith("bool"):
        return f"Write `{path}=true` or `{path}=false`."
    if nearest is not None:
        return f"Did you mean `{path}={_plain(nearest)}`?"
    return f"For example `{path}={_plain(knob.example)}`." if knob.example else ""


def _nearest(knob: Knob, one: ErrorDetails) -> Any:
    """The nearest value that can be, where one can be told."""
    bounds = one.get("ctx", {})
    for bound in ("ge", "le"):
        if bound in bounds:
            return bounds[bound]
    if one["type"] == "multiple_of":
        return knob.within(round(float(one["input"]) / bounds["multiple_of"]) * bounds["multiple_of"])
    if one["type"].startswith("bool"):
        return _near(str(one["input"]).lower(), ("true", "false"), _TYPED_WRONG)
    if not knob.choices:
        return None
    if isinstance(knob.choices[0], str):
        return _near(str(one["input"]), knob.choices)
    wanted = float(one["input"]) if re.fullmatch("-?[0-9]{1,9}", str(one["input"])) else 0.0
    return min(knob.choices, key=lambda choice: abs(choice - wanted))


def _near(text: str, known: Iterable[str], cutoff: float = 0.4) -> str | None:
    lower = {one.lower(): one for one in known}
    found = difflib.get_close_matches(text.lower(), lower, n=1, cutoff=cutoff)
    return lower[found[0]] if found else None


def _near_word(word: str) -> str | None:
    """What a word alone may mean: a setting whose group was left out, a group, or the nearest of all."""
    ends = {path.rpartition(".")[2]: path for path in reversed(list(knobs()))}
    return ends.get(word) or _near(word, [*sections(), *knobs()])


def _written(knob: Knob, *, listed: bool = False) -> str:
    """How a list or a mapping is given."""
    example = knob.default or (["value"] if listed else {"NAME": "value"})
    return f"Lists and mappings are JSON: --set '{knob.path}={json.dumps(example)}'"


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
