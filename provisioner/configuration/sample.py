"""The sample settings file: every setting as a comment, with its help, accepted values and default."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from provisioner.settings.schema import setting_schemas

_HEADER = """\
# Settings of one ML API stack. What begins with `#` is not read: take the `#` of a setting away to set it.
# MLAPI_<SECTION>__<KEY> in the environment wins over this file, --set section.key=value over both.
"""


def sample_file() -> str:
    """Return the text of the sample settings file that `config init` writes."""
    return _HEADER + "".join(_lines())


def to_toml(value: Any) -> str:
    """Return a value in TOML syntax; for text, numbers and booleans TOML and JSON are the same."""
    if isinstance(value, dict):
        members = ", ".join(f"{json.dumps(key)} = {to_toml(member)}" for key, member in value.items())
        return f"{{ {members} }}" if members else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(to_toml, value))}]"
    return json.dumps(value, ensure_ascii=False)


def _lines() -> Iterator[str]:
    """Yield the lines of the sample: a heading for each group, and each setting commented out."""
    for section, members in groupby(setting_schemas().values(), key=lambda schema: schema.path.rpartition(".")[0]):
        if section:
            yield f"\n[{section}]\n"
        for schema in members:
            unset = "  # unset by default" if schema.default is None else ""
            yield f"\n# {schema.help} ({schema.accepted_values})\n"
            yield f"#{schema.path.rpartition('.')[2]} = {to_toml(schema.example)}{unset}\n"
