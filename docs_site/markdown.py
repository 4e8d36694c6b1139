"""Markdown tables and text that is safe inside them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; a `|` or a line break in a cell stays inside it."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)


def code(text: str) -> str:
    """Return text as inline code; nothing for no text."""
    return f"`{text}`" if text else ""


def escaped(text: str) -> str:
    """Return text whose `<` is no HTML and whose `*` is no emphasis, outside of inline code."""
    parts = text.split("`")
    outside = (part.replace("<", "&lt;").replace("*", "\\*") for part in parts[::2])
    return "`".join(_interleaved(list(outside), parts[1::2]))


def _interleaved(outside: list[str], inside: list[str]) -> list[str]:
    return [part for pair in zip(outside, [*inside, ""], strict=False) for part in pair][: len(outside) + len(inside)]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
