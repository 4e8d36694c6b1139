"""What a container answers to a health check's path: the box reads the signs."""

from __future__ import annotations

import re

from provisioner.embedded.containers.model import Task

# An image of one's own says by this variable at which one path it answers 200: at all others it says 404.
SIGN = "ANSWERS"
# What the placeholder's nginx says where.
_PLACE = re.compile(r"location (= |~ )?(\S+) \{ return (\d+)")


def status_at(task: Task, path: str) -> int:
    """The HTTP status that the first of a task's containers answers with; 200 where nothing tells."""
    container = task.definition["containerDefinitions"][0]
    for variable in container.get("environment", []):
        if variable["name"] == SIGN:
            return 200 if path == variable.get("value") else 404
    places = _PLACE.findall(" ".join(container.get("command", [])))
    return _of_nginx(places, path) if places else 200


def _of_nginx(places: list[tuple[str, str, str]], path: str) -> int:
    """The exact location, else the first pattern, else the longest prefix (nginx doc, location)."""
    exact = [code for sign, place, code in places if sign == "= " and place == path]
    fitting = [code for sign, place, code in places if sign == "~ " and re.search(place, path)]
    prefixes = [(len(place), code) for sign, place, code in places if not sign and path.startswith(place)]
    longest = [code for _, code in sorted(prefixes, reverse=True)]
    return int(next(iter([*exact, *fitting, *longest]), 404))
