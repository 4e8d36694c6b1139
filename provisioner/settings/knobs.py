"""Every setting one by one: its path, its default, its unit, what it takes; read from the model itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from provisioner.settings import Settings
from provisioner.settings.profiles import PROFILE, PROFILES, Values

Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Knob:
    """One setting, as the JSON Schema tells it."""

    path: str
    schema: Schema
    # What it is in the profile `seed`.
    plain: Any = None

    @property
    def help(self) -> str:
        """What it is, in one line."""
        return str(self.schema["description"])

    @property
    def default(self) -> Any:
        """Its value where nothing is said; None where it is unset."""
        empty: Any = {"object": {}, "array": []}.get(str(self.schema.get("type")))
        return self.schema.get("default", empty)

    @property
    def example(self) -> Any:
        """A value that it may have: its default, where it has one."""
        return self.schema.get("examples", [None])[0] if self.default is None else self.default

    @property
    def forms(self) -> list[Schema]:
        """The forms it may have; being unset is none of them."""
        return [form for form in self.schema.get("anyOf", [self.schema]) if form.get("type") != "null"]

    @property
    def unit(self) -> str:
        """What it counts, or which sort of value it is."""
        return str(self.schema.get("unit") or _sort(self.forms[0]))

    @property
    def takes(self) -> str:
        """Its bounds and its unit, or the values there are."""
        told = _bounds(self.forms[0])
        return f"{told} {self.schema['unit']}" if "unit" in self.schema else told

    @property
    def choices(self) -> list[Any]:
        """The values there are; empty where it may be any."""
        return list(self.forms[0].get("enum", []))

    @property
    def members(self) -> list[str]:
        """What each thing in it may say of itself, where it holds things."""
        named = [*self.forms[0].get("patternProperties", {}).values()]
        held = next((one for one in named if "$ref" in one), None)
        return list(_group(Settings.model_json_schema(), held)["properties"]) if held else []

    def within(self, value: float) -> float:
        """The value, or the bound that it lies beyond."""
        least, most = (self.forms[0].get(bound, value) for bound in ("minimum", "maximum"))
        return float(min(max(value, least), most))


def schema() -> dict[str, Any]:
    """The model's JSON Schema, with the defaults that hold where no profile is named."""
    whole = Settings.model_json_schema()
    _lay_in(whole, whole, PROFILES[PROFILE])
    return whole


def _lay_in(whole: dict[str, Any], group: dict[str, Any], values: Values) -> None:
    for name, value in values.items():
        told = group["properties"][name]
        if isinstance(value, Mapping):
            _lay_in(whole, _group(whole, told), value)
        else:
            told["default"] = value


@cache
def knobs() -> Mapping[str, Knob]:
    """Every setting by its path, in the order of the model."""
    plain = {knob.path: knob.default for knob in _read(Settings.model_json_schema())}
    return {knob.path: replace(knob, plain=plain[knob.path]) for knob in _read(schema())}


def sections() -> frozenset[str]:
    """The names of the groups."""
    return frozenset(path.split(".")[0] for path in knobs() if "." in path)


def _group(whole: Schema, reference: Schema) -> Any:
    """The section that a property refers to."""
    return whole["$defs"][reference["$ref"].rpartition("/")[2]]


def _read(whole: Schema) -> Iterator[Knob]:
    for name, told in whole["properties"].items():
        if "$ref" in told:
            for key, inner in _group(whole, told)["properties"].items():
                yield Knob(f"{name}.{key}", inner)
        else:
            yield Knob(name, told)


_SORTS = {
    "boolean": "true or false",
    "string": "text",
    "object": "mapping",
    "array": "list",
    "integer": "number",
    "number": "number",
}


def _sort(form: Schema) -> str:
    if "enum" in form or "const" in form:
        return "one of these"
    return _SORTS.get(str(form.get("type")), "value")


def _bounds(form: Schema) -> str:
    if "const" in form:
        return str(form["const"])
    if choices := [str(one) for one in form.get("enum", [])]:
        return ", ".join(choices[:-1]) + f" or {choices[-1]}"
    if form.get("type") not in ("integer", "number"):
        return _sort(form) if form.get("type") == "boolean" else f"a {_sort(form)}"
    steps = form.get("multipleOf")
    return f"{_range(form)} in steps of {steps:g}" if steps else _range(form)


def _range(form: Schema) -> str:
    least, most, above = form.get("minimum"), form.get("maximum"), form.get("exclusiveMinimum")
    if above is not None:
        least = f"more than {above:g}"
    elif least is not None:
        least = f"{least:g}" if most is not None else f"at least {least:g}"
    return " to ".join(str(bound) for bound in (least, most) if bound is not None) or "a number"
