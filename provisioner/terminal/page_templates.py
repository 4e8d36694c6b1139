"""The templates of pages and pictures (`templates/`), and their colours in a light and a dark scheme."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from provisioner.errors import amount

if TYPE_CHECKING:
    from jinja2 import Environment

# Each text colour has a contrast of 4.5 or more to each background (WCAG 2.2, 1.4.3).
LIGHT: Mapping[str, str] = {
    "ground": "#fff",
    "ink": "#1b1f24",
    "pale": "#5b6472",
    "line": "#d5dae1",
    "card": "#f6f7f9",
    "box": "#fff",
    "zone": "#eef2f8",
    "good": "#15703a",
    "busy": "#92540a",
    "changed": "#6d28d9",
    "bad": "#b91c1c",
    "unknown": "#5b6472",
    "link": "#1d4ed8",
    "work": "#2563eb",
    "wait": "#bfdbfe",
    "critical": "#d97706",
    "critical-wait": "#fde68a",
    "note": "#fff7e6",
}
DARK: Mapping[str, str] = {
    "ground": "#14171c",
    "ink": "#e6e8eb",
    "pale": "#a3acb8",
    "line": "#363d48",
    "card": "#1b1f26",
    "box": "#232831",
    "zone": "#1a212c",
    "good": "#4ade80",
    "busy": "#fbbf24",
    "changed": "#c4b5fd",
    "bad": "#fca5a5",
    "unknown": "#a3acb8",
    "link": "#93c5fd",
    "work": "#60a5fa",
    "wait": "#274a78",
    "critical": "#fbbf24",
    "critical-wait": "#5b430f",
    "note": "#33280f",
}


def render(template: str, **values: Any) -> str:
    """Return a template with these values in it, each escaped for HTML."""
    return _environment().get_template(template).render(values)


@cache
def _environment() -> Environment:
    """Return the templates; only a page or a picture imports Jinja2."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        autoescape=True,
        loader=PackageLoader("provisioner.terminal"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    statuses = ("good", "busy", "changed", "bad", "unknown")
    environment.globals |= {"amount": amount, "light": LIGHT, "dark": DARK, "statuses": statuses}
    return environment
