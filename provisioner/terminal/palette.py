"""Colours of a picture in plain CSS: whatever draws SVG knows them, not browsers alone."""

from __future__ import annotations

import re
from collections.abc import Mapping

_NAMED = re.compile(r"var\(--([a-z-]+)\)")
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")


def written_out(css: str, light: Mapping[str, str], dark: Mapping[str, str]) -> str:
    """Return the rules with each `var(--name)` as its light colour, then the coloured ones for the dark.

    librsvg, CairoSVG, Inkscape and WeasyPrint know no variables in SVG, and pass over a media query that
    they do not know: it comes last.
    """
    coloured = [
        f"{selector.strip()} {{ {'; '.join(part for part in parts.split(';') if '--' in part)} }}"
        for selector, parts in _RULE.findall(css)
        if "var(--" in parts
    ]
    at_night = _with("\n".join(coloured), dark)
    return f"{_with(css, light)}@media screen and (prefers-color-scheme: dark) {{\n{at_night}\n}}\n"


def _with(css: str, colours: Mapping[str, str]) -> str:
    return _NAMED.sub(lambda found: colours[found[1]], css)
