"""Output of the health of a stack, as lines of text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from provisioner.health.context import HealthLine, LineStatus, TopicHealth
from provisioner.terminal.console import ColoredLine

_SIGNS: Mapping[LineStatus, str] = {"healthy": " ", "info": " ", "unhealthy": "!", "unknown": "?"}
_COLORS: Mapping[LineStatus, str] = {"healthy": "", "info": "", "unhealthy": "red", "unknown": "yellow"}
# The JSON output keeps the words that scripts compare with.
_JSON_MARKS: Mapping[LineStatus, str] = {"healthy": "well", "info": "told", "unhealthy": "unwell", "unknown": "unknown"}
# The greatest width of the column of names, so that an address fits beside it in 80 columns.
_MAX_NAME_WIDTH = 16
# How many resources are named in one sentence.
_MAX_NAMED = 3


def health_lines(topics: Sequence[TopicHealth]) -> Iterator[ColoredLine]:
    """Yield the lines of all topics with their colours.

    `!` precedes a line about an unhealthy resource, `?` a line about a resource whose health is unknown.
    """
    topic_width = max((len(topic.topic) for topic in topics), default=0)
    name_widths = [len(line.name) for topic in topics for line in topic.lines]
    # A longer name exceeds the column in its own line, and does not widen the column for the others.
    name_width = max((width for width in name_widths if width <= _MAX_NAME_WIDTH), default=0)
    for topic in topics:
        shown_topic, previous_name = topic.topic, ""
        for line in topic.lines:
            shown_name = "" if line.name == previous_name else line.name
            columns = (_SIGNS[line.status], f"{shown_topic:<{topic_width}} ", f"{shown_name:<{name_width}} ", line.text)
            yield " ".join(columns).rstrip(), _COLORS[line.status]
            shown_topic, previous_name = "", line.name


def condense(topics: Sequence[TopicHealth]) -> list[TopicHealth]:
    """Return the topics with as few lines as a terminal has room for.

    What is unhealthy or unknown keeps its line. Other lines about one resource become one, and so do the lines of a
    topic that say the same about all parts of a resource. Of the events, the newest stays.
    """
    return [
        TopicHealth(topic.topic, (_newest_event if topic.topic == "events" else _joined_lines)(topic.lines))
        for topic in topics
    ]


def _newest_event(lines: tuple[HealthLine, ...]) -> tuple[HealthLine, ...]:
    """Return the line of the newest event, which says of how many it is."""
    newest = lines[0]
    return (replace(newest, name=f"1 of {len(lines)}", text=f"{newest.name} {newest.text}"),)


def _joined_lines(lines: tuple[HealthLine, ...]) -> tuple[HealthLine, ...]:
    """Return the lines of a topic with those joined that are neither unhealthy nor unknown."""
    resource = lines[0].name.partition(".")[0]
    same = {(line.name.partition(".")[0], line.text, line.status) for line in lines}
    if len(lines) > 1 and same == {(resource, lines[0].text, "info")}:
        return (replace(lines[0], name=f"{resource}.*"),)
    joined: list[HealthLine] = []
    for (name, is_alone), group in groupby(lines, lambda line: (line.name, line.status in ("unhealthy", "unknown"))):
        members = list(group)
        text = "; ".join(line.text for line in members)
        joined += members if is_alone else [HealthLine(name, text, members[0].status)]
    return tuple(joined)


def health_summary(
    topics: Sequence[TopicHealth], problems: Sequence[str], unfinished_teardown: str = ""
) -> ColoredLine:
    """Return the health of the whole stack in one sentence, and its colour.

    Args:
        topics: The lines of all topics.
        problems: The resources that are missing, not ready or unknown.
        unfinished_teardown: A teardown that has not ended, in words; "" if there is none.

    """
    unhealthy = [topic.topic for topic in topics if topic.has_status("unhealthy")]
    unknown = [topic.topic for topic in topics if topic.has_status("unknown")]
    statements = [unfinished_teardown] if unfinished_teardown else []
    statements += [f"unhealthy: {', '.join(unhealthy)}"] if unhealthy else []
    statements += [f"unknown: {', '.join(unknown)}"] if unknown else []
    verb = "resource is" if len(problems) == 1 else "resources are"
    named = ", ".join(problems[:_MAX_NAMED]) + (" and others" if len(problems) > _MAX_NAMED else "")
    statements += [f"{len(problems)} {verb} missing, not ready or unknown: {named}"] if problems else []
    if not statements:
        return "Everything is healthy.", "green"
    text = "; ".join(statements)
    return f"{text[0].upper()}{text[1:]}.", "red" if unhealthy or problems or unfinished_teardown else "yellow"


def health_json(topics: Sequence[TopicHealth]) -> dict[str, list[dict[str, Any]]]:
    """Return the lines of each topic for the JSON output."""
    return {
        topic.topic: [
            {"name": line.name, "mark": _JSON_MARKS[line.status], "says": line.text, **line.facts}
            for line in topic.lines
        ]
        for topic in topics
    }
