"""The README's table of settings, as the model tells it; `python -m tests.readme` writes it anew."""

from __future__ import annotations

import json
from pathlib import Path

from provisioner.settings.knobs import Knob, knobs

README = Path(__file__).parents[1] / "README.md"
HEAD = "| setting | default | takes | what it is |\n|---|---|---|---|\n"


def table() -> str:
    """The rows of all settings under their head."""
    return HEAD + "".join(_row(knob) for knob in knobs().values())


def written(text: str) -> str:
    """The table that stands in a README."""
    return text[text.index(HEAD.splitlines()[0]) :].split("\n\n", maxsplit=1)[0] + "\n"


def _row(knob: Knob) -> str:
    default = knob.default if isinstance(knob.default, str) else json.dumps(knob.default)
    shown = "unset" if knob.default is None else f"`{default}`" if default else '`""`'
    if knob.plain != knob.default:
        plain = knob.plain if isinstance(knob.plain, str) else json.dumps(knob.plain)
        shown += f"; `{plain}` in `seed`"
    return f"| `{knob.path}` | {shown} | {knob.takes} | {knob.help} |\n"


if __name__ == "__main__":
    readme = README.read_text()
    README.write_text(readme.replace(written(readme), table()))
