"""How a stack is, as lines for a person and as a document for a program."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from provisioner.health.scene import Mark, Part

Painted = tuple[str, str]
_SIGNS: Mapping[Mark, str] = {"well": " ", "told": " ", "unwell": "!", "unknown": "?"}
_COLORS: Mapping[Mark, str] = {"well": "", "told": "", "unwell": "red", "unknown": "yellow"}
# Of the column of names: so that 80 columns hold a sentence beside it.
_WIDEST = 28
# So many resources are named in one sentence.
_NAMED = 3


def health_lines(parts: Sequence[Part]) -> Iterator[Painted]:
    """A line each with its colour: `!` stands before what is unwell, `?` before what is not known."""
    topics = max((len(part.topic) for part in parts), default=0)
    shown_names = [len(line.name) for part in parts for line in part.lines]
    # A longer one stands out of its column, and takes the width of no other line.
    names = max((one for one in shown_names if one <= _WIDEST), default=0)
    for part in parts:
        topic, name = part.topic, ""
        for line in part.lines:
            shown = "" if line.name == name else line.name
            text = f"{_SIGNS[line.mark]} {topic:<{topics}}  {shown:<{names}}  {line.says}".rstrip()
            yield text, _COLORS[line.mark]
            topic, name = "", line.name


def verdict(parts: Sequence[Part], amiss: Sequence[str], unfinished: str = "") -> Painted:
    """Tell all in one sentence: `amiss` names the resources that are not as they should be.

    `unfinished` is a teardown that has not ended.
    """
    unwell = [part.topic for part in parts if part.has("unwell")]
    unknown = [part.topic for part in parts if part.has("unknown")]
    told = [unfinished] if unfinished else []
    told += [f"not well: {', '.join(unwell)}"] if unwell else []
    told += [f"unknown: {', '.join(unknown)}"] if unknown else []
    are = "resource is" if len(amiss) == 1 else "resources are"
    which = ", ".join(amiss[:_NAMED]) + (" and others" if len(amiss) > _NAMED else "")
    told += [f"{len(amiss)} {are} not there, not ready or unknown: {which}"] if amiss else []
    if not told:
        return "All is well.", "green"
    text = "; ".join(told)
    return f"{text[0].upper()}{text[1:]}.", "red" if unwell or amiss or unfinished else "yellow"


def as_doc(parts: Sequence[Part]) -> dict[str, list[dict[str, Any]]]:
    """By topic, each line with its mark, its words and what they are made of."""
    return {
        part.topic: [
            {"name": line.name, "mark": line.mark, "says": line.says, **line.facts} for line in part.lines
        ]
        for part in parts
    }
