"""The base of the ECS resource types, which are tagged by their ARN, and error codes that they share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from provisioner.engine.types.data import codes, declare_operations
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.resources.tags import lower_case_pairs
from provisioner.service_clients import ECS

CLUSTER_NOT_FOUND = codes("ClusterNotFoundException")
# A role or service-linked role that is seconds old (terraform-provider-aws ecs/cluster.go: 2 min).
ROLE_NOT_VISIBLE = codes(
    "InvalidParameterException: unable to assume",
    "InvalidParameterException: verify that the ecs service role",
    "ClientException: unable to assume",
)


class EcsResourceType(ResourceType):
    """The base of the resource types of ECS, which are tagged by their ARN."""

    service = "ecs"
    operations = declare_operations(retag="TagResource UntagResource")

    def retag(self, ecs: ECS, spec: ResourceSpec, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """Set and remove tags (TagResource, UntagResource)."""
        if put:
            ecs.tag_resource(resourceArn=spec.id, tags=lower_case_pairs(put))
        if gone := list(drop):
            ecs.untag_resource(resourceArn=spec.id, tagKeys=gone)
