"""The HTTP status with which a container answers a path, read from its environment and command."""

from __future__ import annotations

import re

from provisioner.embedded.containers.model import Task

# With this environment variable, a container answers 200 at the path in it, and 404 at all others.
SIGN = "ANSWERS"
# The locations in the nginx configuration of the placeholder image.
_PLACE = re.compile(r"location (= |~ )?(\S+) \{ return (\d+)")


def status_at(task: Task, path: str) -> int:
    """Return the status with which the task's first container answers a path; 200 if nothing tells."""
    container = task.definition["containerDefinitions"][0]
    for variable in container.get("environment", []):
        if variable["name"] == SIGN:
            return 200 if path == variable.get("value") else 404
    places = _PLACE.findall(" ".join(container.get("command", [])))
    return _of_nginx(places, path) if places else 200


def _of_nginx(places: list[tuple[str, str, str]], path: str) -> int:
    """Return nginx's status: of the exact location, the first pattern, or the longest prefix; else 404.

    Source: nginx doc, location.
    """
    exact = [code for sign, place, code in places if sign == "= " and place == path]
    fitting = [code for sign, place, code in places if sign == "~ " and re.search(place, path)]
    prefixes = [(len(place), code) for sign, place, code in places if not sign and path.startswith(place)]
    longest = [code for _, code in sorted(prefixes, reverse=True)]
    return int(next(iter([*exact, *fitting, *longest]), 404))
