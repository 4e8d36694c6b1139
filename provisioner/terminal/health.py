"""Output of the health of a stack, as lines of text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from provisioner.health.context import LineStatus, TopicHealth

Painted = tuple[str, str]
_SIGNS: Mapping[LineStatus, str] = {"well": " ", "told": " ", "unwell": "!", "unknown": "?"}
_COLORS: Mapping[LineStatus, str] = {"well": "", "told": "", "unwell": "red", "unknown": "yellow"}
# The greatest width of the column of names, so that a sentence fits beside it in 80 columns.
_WIDEST = 28
# How many resources are named in one sentence.
_NAMED = 3


def health_lines(parts: Sequence[TopicHealth]) -> Iterator[Painted]:
    """Yield the lines of all topics with their colours.

    `!` precedes a line about an unhealthy resource, `?` a line about a resource whose health is unknown.
    """
    topics = max((len(part.topic) for part in parts), default=0)
    shown_names = [len(line.name) for part in parts for line in part.lines]
    # A longer name exceeds the column in its own line, and does not widen the column for the others.
    names = max((one for one in shown_names if one <= _WIDEST), default=0)
    for part in parts:
        topic, name = part.topic, ""
        for line in part.lines:
            shown = "" if line.name == name else line.name
            text = f"{_SIGNS[line.status]} {topic:<{topics}}  {shown:<{names}}  {line.text}".rstrip()
            yield text, _COLORS[line.status]
            topic, name = "", line.name


def verdict(parts: Sequence[TopicHealth], amiss: Sequence[str], unfinished: str = "") -> Painted:
    """Return the health of the whole stack in one sentence, and its colour.

    Args:
        parts: The lines of all topics.
        amiss: The resources that are missing, not ready or unknown.
        unfinished: A teardown that has not ended, in words; "" if there is none.

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


def as_doc(parts: Sequence[TopicHealth]) -> dict[str, list[dict[str, Any]]]:
    """Return the lines of each topic for the JSON output."""
    return {
        part.topic: [{"name": line.name, "mark": line.status, "says": line.text, **line.facts} for line in part.lines]
        for part in parts
    }
