"""Code shared by all RDS resource types: tags by ARN, and error codes for missing resources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.data import codes
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.resources.tags import mapping, pairs
from provisioner.resources.together import tags_told

# How many values a filter may have in one request; a single resource is read by its name instead.
MOST = 50
NO_CLUSTER = codes("DBClusterNotFoundFault")
NO_PARAMETERS = codes("DBParameterGroupNotFound", "DBClusterParameterGroupNotFound")
NO_SUBNETS = codes("DBSubnetGroupNotFoundFault")
# The first use of RDS in an account may come before AWS has made its service-linked role
# (terraform-aws-modules/terraform-aws-rds#364).
NEW_ACCOUNT = codes(
    "InvalidParameterValue: service linked role",
    "InvalidParameterValue: missing necessary credentials",
)
# A role that was just created, or has no policy yet (terraform-provider-aws rds/cluster.go, instance.go).
NEW_ROLE = codes("InvalidParameterValue: iam role arn value is invalid")


class Rds(ResourceType):
    """A resource type of RDS whose tags are set by ARN."""

    service = "rds"
    arn: str

    def with_tags(self, rds: Any, spec: ResourceSpec, actual: JsonObject) -> JsonObject:
        """Return a resource as it was read, and its tags."""

        def ask() -> dict[str, str]:
            return mapping(rds.list_tags_for_resource(ResourceName=actual[self.arn])["TagList"])

        return {**actual, "Tags": tags_told(rds, spec, actual[self.arn], ask)}

    def retag(self, rds: Any, spec: ResourceSpec, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """Change the tags with AddTagsToResource and RemoveTagsFromResource."""
        arn = (self.read(rds, spec) or {})[self.arn]
        if put:
            rds.add_tags_to_resource(ResourceName=arn, Tags=pairs(put))
        if gone := list(drop):
            rds.remove_tags_from_resource(ResourceName=arn, TagKeys=gone)
