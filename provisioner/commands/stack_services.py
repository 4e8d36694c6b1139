"""The services of a stack, by the names that `--service` takes; imports the state only, as completion needs them."""

from __future__ import annotations

import difflib

from state.stack_state import ResourceState, StackState

# The name of the service that every stack has; its logical id is bare, and those of others end with their names.
MAIN_SERVICE = "api"
_SERVICE_TYPE = "Service"


def services_of(state: StackState) -> dict[str, ResourceState]:
    """Map the name of each service in the state to its resource state, without deposed services."""
    return {
        logical_id.partition(".")[2] or MAIN_SERVICE: resource_state
        for logical_id, resource_state in state.resources.items()
        if resource_state.type_name == _SERVICE_TYPE and "~" not in logical_id
    }


def unknown_service_hint(state: StackState, name: str) -> str:
    """Return the hint for a service name that the stack does not have: the closest name, else all names."""
    services = services_of(state)
    if similar := difflib.get_close_matches(name, services, n=1):
        return f"Did you mean {similar[0]}?"
    return f"There are: {', '.join(services) or 'none yet'}."
