"""The user's own tags, limited to what every service of the stack accepts."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

from provisioner.errors import quoted
from provisioner.names import (
    COUNT_OWNER,
    IMAGE_OWNER,
    NODE_TAG,
    REGION_TAG,
    RUN_TAG,
    SHIPPED_WITH,
    ZONE_TAG,
    owner_tags,
)

# IAM does not distinguish the case of keys (IAM user guide, id_tags).
_TOOL_TAGS = (REGION_TAG, NODE_TAG, IMAGE_OWNER, ZONE_TAG, SHIPPED_WITH, COUNT_OWNER, RUN_TAG)
_RESERVED_KEYS = {name.lower() for name in ("Name", *owner_tags(""), *_TOOL_TAGS)}
# A resource has at most 50 tags (Tagging AWS resources, best practices and limits), including the tool's own. The
# run mark takes no place from the user's: it is on a role, which has none of a service's.
MAX_TAGS = 50 - len(_RESERVED_KEYS - {RUN_TAG})
# The characters that IAM accepts, fewer than all other services here (botocore iam tagKeyType, tagValueType).
_PATTERN = re.compile(r"[\w .:/=+@-]*")
_MAX_KEY, _MAX_VALUE = 128, 256
# botocore rds Tag, Key and Value: "can't be prefixed with aws: or rds:". botocore ecs Tag: this holds for
# keys and values, in upper and lower case.
_RESERVED_PREFIXES = ("aws:", "rds:")


def _check_tags(tags: dict[str, str]) -> dict[str, str]:
    """Return the tags; raise ValueError for a tag that a service refuses or that clashes with the tool's."""
    keys_by_lower_case: dict[str, str] = {}
    for key, value in tags.items():
        if key.lower().startswith(_RESERVED_PREFIXES) or key.lower() in _RESERVED_KEYS:
            raise ValueError(f"the tag {key} is not free: AWS or this tool sets it")
        if value.lower().startswith(_RESERVED_PREFIXES):
            raise ValueError(f"the value of the tag {key} begins with aws: or rds:, which AWS keeps for itself")
        if other := keys_by_lower_case.get(key.lower()):
            raise ValueError(f"the tags {other} and {key} are one to IAM, which knows no capitals")
        keys_by_lower_case[key.lower()] = key
        for text, max_length in ((key, _MAX_KEY), (value, _MAX_VALUE)):
            if len(text) > max_length or not _PATTERN.fullmatch(text) or not key:
                raise ValueError(
                    f"{quoted(key)}: {quoted(value)} is no tag of AWS, which has 1 to {_MAX_KEY} and up "
                    f"to {_MAX_VALUE} letters, digits, spaces and _ . : / = + - @"
                )
    if len(tags) > MAX_TAGS:
        raise ValueError(f"there are {len(tags)} tags; beside this tool's own, AWS takes {MAX_TAGS}")
    return tags


OwnTags = Annotated[dict[str, str], AfterValidator(_check_tags)]
