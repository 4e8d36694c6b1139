"""CSS without variables for SVG pictures, because many programs other than browsers do not know them."""

from __future__ import annotations

import re
from collections.abc import Mapping

_NAMED = re.compile(r"var\(--([a-z-]+)\)")
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")


def written_out(css: str, light: Mapping[str, str], dark: Mapping[str, str]) -> str:
    """Return the CSS rules for both colour schemes with each `var(--name)` replaced by its colour.

    All rules come first with the light colours, then the coloured ones again with the dark colours, in a
    media query. librsvg, CairoSVG, Inkscape and WeasyPrint know no variables in SVG, and skip a media query
    that they do not know, so it is last.
    """
    coloured = [
        f"{selector.strip()} {{ {'; '.join(part for part in parts.split(';') if '--' in part)} }}"
        for selector, parts in _RULE.findall(css)
        if "var(--" in parts
    ]
    at_night = _with("\n".join(coloured), dark)
    return f"{_with(css, light)}@media screen and (prefers-color-scheme: dark) {{\n{at_night}\n}}\n"


def _with(css: str, colours: Mapping[str, str]) -> str:
    """Return the CSS with each `var(--name)` replaced by the colour of that name."""
    return _NAMED.sub(lambda found: colours[found[1]], css)
