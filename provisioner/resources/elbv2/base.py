"""The base of the load balancing resource types: tagging by ARN, and AWS's error codes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.data import codes, declare_operations
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.resources.tags import mapping, pairs, read_batch
from provisioner.service_clients import ELBV2

LOAD_BALANCER_NOT_FOUND = codes("LoadBalancerNotFound")
TARGET_GROUP_NOT_FOUND = codes("TargetGroupNotFound")
LISTENER_NOT_FOUND = codes("ListenerNotFound")
RULE_NOT_FOUND = codes("RuleNotFound")
# The key under which an actual state maps a declared target group to the group that ECS sends its requests to now.
REPLACEMENT_TARGET_KEY = "StandsIn"
_NOT_FOUND = LOAD_BALANCER_NOT_FOUND | TARGET_GROUP_NOT_FOUND | LISTENER_NOT_FOUND | RULE_NOT_FOUND
_TAGGED_TYPES = ("LoadBalancer", "TargetGroup", "Listener", "ListenerRule")
# botocore elbv2 DescribeTags, DescribeLoadBalancers: the most resources in one call.
MAX_PER_CALL = 20


class ElbResourceType(ResourceType):
    """The base of the resource types that are tagged by their ARN and described without their tags."""

    service = "elbv2"
    id_paths: ClassVar[str]
    operations = declare_operations(retag="AddTags RemoveTags")

    def retag(self, elbv2: ELBV2, spec: ResourceSpec, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """Set and remove tags (AddTags, RemoveTags)."""
        if put:
            elbv2.add_tags(ResourceArns=[spec.id], Tags=pairs(put))
        if gone := list(drop):
            elbv2.remove_tags(ResourceArns=[spec.id], TagKeys=gone)

    def replacement_targets(self, actual: JsonObject) -> Mapping[str, str]:
        """Return the target groups to which ECS sends requests instead of the declared ones, by declared ARN."""
        return dict(actual.get(REPLACEMENT_TARGET_KEY, {}))

    def with_tags(self, elbv2: ELBV2, actual: JsonObject) -> JsonObject:
        """Return a described resource with its tags (DescribeTags)."""
        return {**actual, "Tags": described_tags(elbv2, actual[self.id_paths])}


def described_tags(elbv2: ELBV2, own_arn: str) -> dict[str, str]:
    """Return the tags of a resource, described with those that are read together (DescribeTags)."""

    def describe(arns: list[str]) -> list[JsonObject]:
        return list(elbv2.describe_tags(ResourceArns=arns)["TagDescriptions"])

    arns = elbv2.batch_scope.batch(own_arn, *_TAGGED_TYPES, most=MAX_PER_CALL)
    descriptions = read_batch(arns, own_arn, describe, _NOT_FOUND)
    own_tags = (description["Tags"] for description in descriptions if description["ResourceArn"] == own_arn)
    return mapping(next(own_tags, []))


def full_name(actual: JsonObject, key: str) -> str:
    """Return the name that CloudWatch and autoscaling use: `app/<name>/<id>`, `targetgroup/<name>/<id>`."""
    return str(actual[key]).split(":", 5)[5].removeprefix("loadbalancer/")
