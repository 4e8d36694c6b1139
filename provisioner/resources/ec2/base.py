"""The base of the tagged EC2 resource types, which are found by id, by tags or by the tag Name."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, ClassVar, TypeAlias, cast

from provisioner.engine.planning.diff import meets_condition
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.data import declare_operations, minutes
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.errors import Blocked
from provisioner.names import NODE_TAG, PROJECT, has_stack_tags
from provisioner.resources.tags import mapping, pairs
from provisioner.service_clients import EC2

if TYPE_CHECKING:
    from types_boto3_ec2.literals import ResourceTypeType
    from types_boto3_ec2.type_defs import FilterTypeDef, TagSpecificationTypeDef

Filters: TypeAlias = "list[FilterTypeDef]"
# botocore ec2 Filter: 200 values in one request.
MAX_FILTER_VALUES = 200
# The rest is for the other filters.
_MAX_SUFFIXES = 150


def stack_filters(ec2: EC2, spec: ResourceSpec) -> Filters:
    """Return filters for all resources of the stack, and of the other stacks that this run reads.

    They are the same for each resource of a type, so that one call reads them all.
    """
    suffixes: FilterTypeDef = {
        "Name": "tag:Environment",
        "Values": ec2.batch_scope.suffix_batch(spec.suffix, most=_MAX_SUFFIXES),
    }
    return [*equals_filters({"tag:Project": PROJECT}), suffixes]


def equals_filters(values: Mapping[str, str]) -> Filters:
    """Return EC2 filters that match resources with these values, by filter name.

    Unlike id parameters, filters do not fail if an id does not exist.
    """
    return [{"Name": name, "Values": [value]} for name, value in values.items()]


class Ec2ResourceType(ResourceType):
    """The base of the EC2 resource types whose create call sets their tags."""

    service = "ec2"
    # terraform-provider-aws ec2/wait.go allows 5 min; a minute has been the longest seen in practice.
    consistency_seconds = 60
    timeout = minutes(10)
    id_paths: ClassVar[str]
    id_filter: ClassVar[str]
    name_filter: ClassVar[str] = "tag:Name"
    # How many ids one call of `find_by_ids` takes; it leaves out those that do not exist.
    ids_per_call: ClassVar[int] = MAX_FILTER_VALUES
    operations = declare_operations(retag="CreateTags DeleteTags")

    @abstractmethod
    def find(self, ec2: EC2, filters: Filters) -> list[JsonObject]:
        """Return all resources of this type that pass the filters."""

    def find_by_ids(self, ec2: EC2, ids: list[str]) -> list[JsonObject]:
        """Return those of the resources with these ids that exist, whatever their tags."""
        return self.find(ec2, [{"Name": self.id_filter, "Values": ids}])

    def read(self, ec2: EC2, spec: ResourceSpec) -> JsonObject | None:
        """Return the resource by its id, else by the stack's tags, else by the tag Name.

        A resource with our Name that lacks the stack's tags belongs to somebody else. It is returned so that
        the conflict is found.
        """
        actual = self._find_in_stack(spec, self.find(ec2, stack_filters(ec2, spec)))
        if actual is None and spec.id:
            # An emulator that does not know the filter returns all resources.
            ids = ec2.batch_scope.batch(spec.id, str(self), most=self.ids_per_call)
            described = self._with_tags_as_dict(self.find_by_ids(ec2, ids))
            actual = next((resource for resource in described if self.id_of(resource) == spec.id), None)
        if actual is None and not spec.id and spec.aws_name:
            namesakes = self.find(ec2, equals_filters({self.name_filter: f"{PROJECT}-*-{spec.suffix}"}))
            actual = self._find_namesake(spec, namesakes)
        return actual

    def _with_tags_as_dict(self, resources: Iterable[JsonObject]) -> list[JsonObject]:
        """Return the resources with their tags as a dict, instead of EC2's list of pairs."""
        return [{**resource, "Tags": mapping(resource.get("Tags") or [])} for resource in resources]

    def _find_in_stack(self, spec: ResourceSpec, resources: Iterable[JsonObject]) -> JsonObject | None:
        """Return the resource by its id, else by the tags of the stack and of the logical id."""
        tagged = self._with_tags_as_dict(resources)
        by_id = [actual for actual in tagged if self.id_of(actual) == spec.id]
        if by_id:
            return by_id[0]
        of_stack = [
            actual for actual in self._lasting(spec, tagged) if actual["Tags"].get("Environment") == spec.suffix
        ]
        of_logical_id = [actual for actual in of_stack if actual["Tags"].get(NODE_TAG) == spec.logical_id]
        of_name = [actual for actual in of_logical_id if actual["Tags"].get("Name") == spec.aws_name]
        return self._at_most_one(spec, of_name or of_logical_id)

    def _find_namesake(self, spec: ResourceSpec, resources: Iterable[JsonObject]) -> JsonObject | None:
        """Return a resource that has our tag Name, but not the stack's tags."""
        for actual in self._lasting(spec, self._with_tags_as_dict(resources)):
            if actual["Tags"].get("Name") == spec.aws_name and not has_stack_tags(actual["Tags"], spec.suffix):
                return actual
        return None

    def _lasting(self, spec: ResourceSpec, resources: list[JsonObject]) -> list[JsonObject]:
        """Leave out resources that are deleted, being deleted or failed: EC2 lists them for a while."""
        ended = (self.deleted, self.deleting, self.failed)
        return [
            actual
            for actual in resources
            if self.id_of(actual) not in spec.excluded_ids
            and not any(meets_condition(actual, condition) for condition in ended)
        ]

    def _at_most_one(self, spec: ResourceSpec, resources: list[JsonObject]) -> JsonObject | None:
        """Return the only resource, or None; raise Blocked if two resources have the same tags."""
        if len(resources) > 1:
            ids = " and ".join(self.id_of(actual) for actual in resources)
            raise Blocked(
                f"{ids} both carry the tags of {spec.aws_name or spec.logical_id}.",
                f"Delete the one that is not in use, or take its tag {NODE_TAG} away; then run this again.",
            )
        return resources[0] if resources else None

    def tag_specifications(self, spec: ResourceSpec) -> list[TagSpecificationTypeDef]:
        """Return the tags in the form that a create call takes."""
        return [{"ResourceType": cast("ResourceTypeType", self.iam_type), "Tags": pairs(spec.tags)}]

    def retag(self, ec2: EC2, spec: ResourceSpec, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """Set and remove tags (CreateTags, DeleteTags)."""
        if put:
            ec2.create_tags(Resources=[spec.id], Tags=pairs(put))
        if gone := list(drop):
            ec2.delete_tags(Resources=[spec.id], Tags=[{"Key": name} for name in gone])
