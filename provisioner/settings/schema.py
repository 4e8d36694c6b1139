"""The schema of every setting: path, default, unit and accepted values, read from the pydantic model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from provisioner.settings import Settings
from provisioner.settings.profiles import DEFAULT_PROFILE, PROFILES, ProfileValues

JsonSchema = Mapping[str, Any]


@dataclass(frozen=True)
class SettingSchema:
    """The schema of one setting."""

    path: str
    schema: JsonSchema
    # The default in the profile `seed`.
    seed_default: Any = None

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
    def forms(self) -> list[JsonSchema]:
        """The JSON Schemas of the possible values, without the one for null."""
        return [form for form in self.schema.get("anyOf", [self.schema]) if form.get("type") != "null"]

    @property
    def unit(self) -> str:
        """The unit of the number, or the type of the value for settings without a unit."""
        return str(self.schema.get("unit") or _type_in_words(self.forms[0]))

    @property
    def accepted_values(self) -> str:
        """The accepted values in words: the range with its unit, or the list of choices."""
        accepted = _accepted_values(self.forms[0])
        return f"{accepted} {self.schema['unit']}" if "unit" in self.schema else accepted

    @property
    def choices(self) -> list[Any]:
        """The possible values; empty if they are not a fixed list."""
        return list(self.forms[0].get("enum", []))

    @property
    def members(self) -> list[str]:
        """The keys of each object in a mapping of names to objects; empty for any other setting."""
        patterns = [*self.forms[0].get("patternProperties", {}).values()]
        reference = next((pattern for pattern in patterns if "$ref" in pattern), None)
        return list(_resolve(Settings.model_json_schema(), reference)["properties"]) if reference else []

    def clamp(self, value: float) -> float:
        """Return the value, clamped to the least and the greatest value that the setting accepts."""
        least, most = (self.forms[0].get(bound, value) for bound in ("minimum", "maximum"))
        return float(min(max(value, least), most))


def settings_json_schema() -> dict[str, Any]:
    """Return the JSON Schema of all settings, with the defaults of the default profile."""
    root = Settings.model_json_schema()
    _set_defaults(root, root, PROFILES[DEFAULT_PROFILE])
    return root


def _set_defaults(root: dict[str, Any], group: dict[str, Any], values: ProfileValues) -> None:
    """Replace the defaults in the schema of a group by these values, also in the groups inside it."""
    for name, value in values.items():
        property_schema = group["properties"][name]
        if isinstance(value, Mapping):
            _set_defaults(root, _resolve(root, property_schema), value)
        else:
            property_schema["default"] = value


@cache
def setting_schemas() -> Mapping[str, SettingSchema]:
    """Return the schema of every setting by its path, in the order of the model.

    The defaults are those of the default profile; `seed_default` is the one of the profile `seed`.
    """
    seed_defaults = {setting.path: setting.default for setting in _read_schemas(Settings.model_json_schema())}
    return {
        setting.path: replace(setting, seed_default=seed_defaults[setting.path])
        for setting in _read_schemas(settings_json_schema())
    }


def sections() -> frozenset[str]:
    """Return the names of the groups of settings."""
    return frozenset(path.split(".")[0] for path in setting_schemas() if "." in path)


def _resolve(root: JsonSchema, reference: JsonSchema) -> Any:
    """Return the schema of the group that a `$ref` points to."""
    return root["$defs"][reference["$ref"].rpartition("/")[2]]


def _read_schemas(root: JsonSchema) -> Iterator[SettingSchema]:
    """Yield the schema of each setting; the settings of a group get the group's name before theirs."""
    for name, property_schema in root["properties"].items():
        if "$ref" in property_schema:
            for key, member_schema in _resolve(root, property_schema)["properties"].items():
                yield SettingSchema(f"{name}.{key}", member_schema)
        else:
            yield SettingSchema(name, property_schema)


_TYPE_WORDS = {
    "boolean": "true or false",
    "string": "text",
    "object": "mapping",
    "array": "list",
    "integer": "number",
    "number": "number",
}


def _type_in_words(form: JsonSchema) -> str:
    """Return the type of a value in words."""
    if "enum" in form or "const" in form:
        return "one of these"
    return _TYPE_WORDS.get(str(form.get("type")), "value")


def _accepted_values(form: JsonSchema) -> str:
    """Return the accepted values of one form in words, without the unit."""
    if "const" in form:
        return str(form["const"])
    if choices := [str(choice) for choice in form.get("enum", [])]:
        return ", ".join(choices[:-1]) + f" or {choices[-1]}"
    if form.get("type") not in ("integer", "number"):
        return _type_in_words(form) if form.get("type") == "boolean" else f"a {_type_in_words(form)}"
    step = form.get("multipleOf")
    return f"{_range_in_words(form)} in steps of {step:g}" if step else _range_in_words(form)


def _range_in_words(form: JsonSchema) -> str:
    """Return the accepted range of a number in words."""
    least, most, above = form.get("minimum"), form.get("maximum"), form.get("exclusiveMinimum")
    if above is not None:
        least = f"more than {above:g}"
    elif least is not None:
        least = f"{least:g}" if most is not None else f"at least {least:g}"
    return " to ".join(str(bound) for bound in (least, most) if bound is not None) or "a number"
