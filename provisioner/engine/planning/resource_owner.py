"""Whose an existing resource is: its tags tell, or the type describes the owner."""

from __future__ import annotations

from collections.abc import Mapping

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.resource_type import ResourceType
from provisioner.names import has_another_owner, has_owner


def is_owned(resource_type: ResourceType, desired: Mapping[str, str], actual: JsonObject) -> bool:
    """Return whether a resource found by name or tag belongs to the stack.

    A resource of the whole account counts as ours, and so does a part of another resource, which has no tags.
    """
    if not resource_type.tagged or resource_type.account_wide:
        return True
    tags = actual.get("Tags") or {}
    return has_owner(tags, desired) or (resource_type.adopts_untagged and "Environment" not in tags)


def is_foreign(resource_type: ResourceType, desired: Mapping[str, str], actual: JsonObject) -> bool:
    """Return whether a resource is somebody else's although its id is known: the id is only a name.

    Its tags decide then. Without any tag it is ours: the tags were removed, or AWS does not take them in the
    create call.
    """
    return is_identified_by_name(resource_type) and has_another_owner(actual.get("Tags") or {}, desired)


def is_identified_by_name(resource_type: ResourceType) -> bool:
    """Return whether the id is only a name that another resource could take, so that tags tell the owner."""
    return resource_type.tagged and (resource_type.id_is_name or resource_type.id_paths == resource_type.name_property)


def owner_description(resource_type: ResourceType, actual: JsonObject) -> str:
    """Describe the owner of a resource that is somebody else's."""
    if description := resource_type.describe_foreign(actual):
        return f"somebody else's: {description}"
    tags = actual.get("Tags") or {}
    listed_tags = ", ".join(f"{name}={value}" for name, value in sorted(tags.items()))
    return f"somebody else's: it carries {listed_tags or 'no tags at all'}"


def foreign_remedy(resource_type: ResourceType, actual: JsonObject) -> str:
    """Return what to do about somebody else's resource in the way; "" where another suffix is the remedy."""
    return resource_type.foreign_remedy.format(**actual)
