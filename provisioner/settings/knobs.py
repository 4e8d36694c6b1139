"""Every setting one by one: its path, its default, its unit, what it takes; read from the model itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from provisioner.settings import Settings

Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Knob:
    """One setting, as the JSON Schema tells it."""

    path: str
    schema: Schema

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


@cache
def knobs() -> Mapping[str, Knob]:
    """Every setting by its path, in the order of the model."""
    return {knob.path: knob for knob in _read(Settings.model_json_schema())}


def sections() -> frozenset[str]:
    """The names of the groups."""
    return frozenset(path.split(".")[0] for path in knobs() if "." in path)


def _read(whole: Schema) -> Iterator[Knob]:
    for name, schema in whole["properties"].items():
        if "$ref" in schema:
            group = whole["$defs"][schema["$ref"].rpartition("/")[2]]
            for key, inner in group["properties"].items():
                yield Knob(f"{name}.{key}", inner)
        else:
            yield Knob(name, schema)


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
