"""The README's table of settings, as the model tells it; `python -m tests.support.readme_table` writes it again."""

from __future__ import annotations

import json
from pathlib import Path

import cli
from provisioner.settings.schema import SettingSchema, setting_schemas

README = Path(cli.__file__).parent / "README.md"
HEAD = "| setting | default | takes | what it is |\n|---|---|---|---|\n"


def table() -> str:
    """The rows of all settings under their head."""
    return HEAD + "".join(_row(schema) for schema in setting_schemas().values())


def written(text: str) -> str:
    """The table that stands in a README."""
    return text[text.index(HEAD.splitlines()[0]) :].split("\n\n", maxsplit=1)[0] + "\n"


def _row(schema: SettingSchema) -> str:
    default = schema.default if isinstance(schema.default, str) else json.dumps(schema.default)
    shown = "unset" if schema.default is None else f"`{default}`" if default else '`""`'
    if schema.seed_default != schema.default:
        plain = schema.seed_default if isinstance(schema.seed_default, str) else json.dumps(schema.seed_default)
        shown += f"; `{plain}` in `seed`"
    return f"| `{schema.path}` | {shown} | {schema.accepted_values} | {schema.help} |\n"


if __name__ == "__main__":
    readme = README.read_text()
    README.write_text(readme.replace(written(readme), table()))
