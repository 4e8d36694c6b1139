"""The schema of every setting: path, default, unit and accepted values, read from the pydantic model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from provisioner.settings import Settings
from provisioner.settings.profiles import PROFILE, PROFILES, Values

Schema = Mapping[str, Any]


@dataclass(frozen=True)
class SettingSchema:
    """The schema of one setting."""

    path: str
    schema: Schema
    # The default in the profile `seed`.
    plain: Any = None

    @property
    def help(self) -> str:
        """The description of the setting, in one line."""
        return str(self.schema["description"])

    @property
    def default(self) -> Any:
        """The default value; None if the setting is unset by default."""
        empty: Any = {"object": {}, "array": []}.get(str(self.schema.get("type")))
        return self.schema.get("default", empty)

    @property
    def example(self) -> Any:
        """A possible value: the default, or if that is None the first example of the schema."""
        return self.schema.get("examples", [None])[0] if self.default is None else self.default

    @property
    def forms(self) -> list[Schema]:
        """The JSON Schemas of the possible values, without the one for null."""
        return [form for form in self.schema.get("anyOf", [self.schema]) if form.get("type") != "null"]

    @property
    def unit(self) -> str:
        """The unit of the number, or the type of the value for settings without a unit."""
        return str(self.schema.get("unit") or _sort(self.forms[0]))

    @property
    def takes(self) -> str:
        """The accepted values in words: the range with its unit, or the list of choices."""
        told = _bounds(self.forms[0])
        return f"{told} {self.schema['unit']}" if "unit" in self.schema else told

    @property
    def choices(self) -> list[Any]:
        """The possible values; empty if they are not a fixed list."""
        return list(self.forms[0].get("enum", []))

    @property
    def members(self) -> list[str]:
        """The keys of each object in a mapping of names to objects; empty for any other setting."""
        named = [*self.forms[0].get("patternProperties", {}).values()]
        held = next((one for one in named if "$ref" in one), None)
        return list(_group(Settings.model_json_schema(), held)["properties"]) if held else []

    def within(self, value: float) -> float:
        """Return the value, clamped to the least and the greatest value that the setting accepts."""
        least, most = (self.forms[0].get(bound, value) for bound in ("minimum", "maximum"))
        return float(min(max(value, least), most))


def schema() -> dict[str, Any]:
    """Return the JSON Schema of all settings, with the defaults of the default profile."""
    whole = Settings.model_json_schema()
    _lay_in(whole, whole, PROFILES[PROFILE])
    return whole


def _lay_in(whole: dict[str, Any], group: dict[str, Any], values: Values) -> None:
    """Replace the defaults in the schema of a group by these values, also in the groups inside it."""
    for name, value in values.items():
        told = group["properties"][name]
        if isinstance(value, Mapping):
            _lay_in(whole, _group(whole, told), value)
        else:
            told["default"] = value


@cache
def setting_schemas() -> Mapping[str, SettingSchema]:
    """Return the schema of every setting by its path, in the order of the model."""
    plain = {knob.path: knob.default for knob in _read(Settings.model_json_schema())}
    return {knob.path: replace(knob, plain=plain[knob.path]) for knob in _read(schema())}


def sections() -> frozenset[str]:
    """Return the names of the groups of settings."""
    return frozenset(path.split(".")[0] for path in setting_schemas() if "." in path)


def _group(whole: Schema, reference: Schema) -> Any:
    """Return the schema of the group that a `$ref` points to."""
    return whole["$defs"][reference["$ref"].rpartition("/")[2]]


def _read(whole: Schema) -> Iterator[SettingSchema]:
    """Yield the schema of each setting; the settings of a group get the group's name before theirs."""
    for name, told in whole["properties"].items():
        if "$ref" in told:
            for key, inner in _group(whole, told)["properties"].items():
                yield SettingSchema(f"{name}.{key}", inner)
        else:
            yield SettingSchema(name, told)


_SORTS = {
    "boolean": "true or false",
    "string": "text",
    "object": "mapping",
    "array": "list",
    "integer": "number",
    "number": "number",
}


def _sort(form: Schema) -> str:
    """Return the type of a value in words."""
    if "enum" in form or "const" in form:
        return "one of these"
    return _SORTS.get(str(form.get("type")), "value")


def _bounds(form: Schema) -> str:
    """Return the accepted values of one form in words, without the unit."""
    if "const" in form:
        return str(form["const"])
    if choices := [str(one) for one in form.get("enum", [])]:
        return ", ".join(choices[:-1]) + f" or {choices[-1]}"
    if form.get("type") not in ("integer", "number"):
        return _sort(form) if form.get("type") == "boolean" else f"a {_sort(form)}"
    steps = form.get("multipleOf")
    return f"{_range(form)} in steps of {steps:g}" if steps else _range(form)


def _range(form: Schema) -> str:
    """Return the accepted range of a number in words."""
    least, most, above = form.get("minimum"), form.get("maximum"), form.get("exclusiveMinimum")
    if above is not None:
        least = f"more than {above:g}"
    elif least is not None:
        least = f"{least:g}" if most is not None else f"at least {least:g}"
    return " to ".join(str(bound) for bound in (least, most) if bound is not None) or "a number"
