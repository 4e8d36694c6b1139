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
    SHIPPED_WITH,
    ZONE_TAG,
    owner_tags,
)

# IAM does not distinguish the case of keys (IAM user guide, id_tags).
_MARKS = (REGION_TAG, NODE_TAG, IMAGE_OWNER, ZONE_TAG, SHIPPED_WITH, COUNT_OWNER)
_OURS = {name.lower() for name in ("Name", *owner_tags(""), *_MARKS)}
# A resource has at most 50 tags (Tagging AWS resources, best practices and limits), including the tool's own.
MOST = 50 - len(_OURS)
# The characters that IAM accepts, fewer than all other services here (botocore iam tagKeyType, tagValueType).
_FORM = re.compile(r"[\w .:/=+@-]*")
_LONGEST_KEY, _LONGEST_VALUE = 128, 256
# botocore rds Tag, Key and Value: "can't be prefixed with aws: or rds:". botocore ecs Tag: this holds for
# keys and values, in upper and lower case.
_RESERVED = ("aws:", "rds:")


def _taken(tags: dict[str, str]) -> dict[str, str]:
    """Return the tags; raise ValueError for a tag that a service refuses or that clashes with the tool's."""
    seen: dict[str, str] = {}
    for key, value in tags.items():
        if key.lower().startswith(_RESERVED) or key.lower() in _OURS:
            raise ValueError(f"the tag {key} is not free: AWS or this tool sets it")
        if value.lower().startswith(_RESERVED):
            raise ValueError(f"the value of the tag {key} begins with aws: or rds:, which AWS keeps for itself")
        if other := seen.get(key.lower()):
            raise ValueError(f"the tags {other} and {key} are one to IAM, which knows no capitals")
        seen[key.lower()] = key
        for what, longest in ((key, _LONGEST_KEY), (value, _LONGEST_VALUE)):
            if len(what) > longest or not _FORM.fullmatch(what) or not key:
                raise ValueError(
                    f"{quoted(key)}: {quoted(value)} is no tag of AWS, which has 1 to {_LONGEST_KEY} and up "
                    f"to {_LONGEST_VALUE} letters, digits, spaces and _ . : / = + - @"
                )
    if len(tags) > MOST:
        raise ValueError(f"there are {len(tags)} tags; beside this tool's own, AWS takes {MOST}")
    return tags


OwnTags = Annotated[dict[str, str], AfterValidator(_taken)]
