"""The base of the tagged EC2 resource types: how they are found by id, by tags and by the tag Name."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from provisioner.engine.planning.diff import meets_condition
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.data import declare_operations, minutes
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.errors import Blocked
from provisioner.names import NODE_TAG, PROJECT, has_stack_tags
from provisioner.resources.tags import mapping, pairs

Filters = list[dict[str, Any]]
# botocore ec2 Filter: 200 values in one request. The rest is for the other filters.
_MAX_SUFFIXES = 150


def stack_filters(ec2: Any, spec: ResourceSpec) -> Filters:
    """Return the filter that all resources of the stack pass, so that one answer serves all of a type.

    Resources of the other stacks that this run reads pass it too.
    """
    suffixes = {"Name": "tag:Environment", "Values": ec2.batch_scope.suffix_batch(spec.suffix, most=_MAX_SUFFIXES)}
    return [*equals_filters({"tag:Project": PROJECT}), suffixes]


def equals_filters(values: Mapping[str, str]) -> Filters:
    """Return EC2 filters. Unlike id parameters, filters do not fail if an id does not exist."""
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
    operations = declare_operations(retag="CreateTags DeleteTags")

    @abstractmethod
    def find(self, ec2: Any, filters: Filters) -> list[JsonObject]:
        """Return all resources of this type that pass the filters."""

    def find_by_id(self, ec2: Any, id_: str) -> list[JsonObject]:
        """Return the resource of this id, in a list: its tags may not be visible yet, or were removed."""
        return self.find(ec2, equals_filters({self.id_filter: id_}))

    def read(self, ec2: Any, spec: ResourceSpec) -> JsonObject | None:
        """Return the resource by its id, else by the stack's tags, else by the tag Name.

        A resource with our Name that lacks the stack's tags belongs to somebody else. It is returned so that
        the conflict is found.
        """
        found = self._find_in_stack(spec, self.find(ec2, stack_filters(ec2, spec)))
        if found is None and spec.id:
            # An emulator that does not know the filter returns all resources.
            known = self._with_tags_as_dict(self.find_by_id(ec2, spec.id))
            found = next((actual for actual in known if self.id_of(actual) == spec.id), None)
        if found is None and not spec.id and spec.aws_name:
            alike = self.find(ec2, equals_filters({self.name_filter: f"{PROJECT}-*-{spec.suffix}"}))
            found = self._find_namesake(spec, alike)
        return found

    def _with_tags_as_dict(self, docs: Iterable[JsonObject]) -> list[JsonObject]:
        return [{**actual, "Tags": mapping(actual.get("Tags") or [])} for actual in docs]

    def _find_in_stack(self, spec: ResourceSpec, docs: Iterable[JsonObject]) -> JsonObject | None:
        # The resource by its id, else by the tags of the stack and of the logical id.
        tidy = self._with_tags_as_dict(docs)
        by_id = [actual for actual in tidy if self.id_of(actual) == spec.id]
        if by_id:
            return by_id[0]
        ours = [actual for actual in self._lasting(spec, tidy) if actual["Tags"].get("Environment") == spec.suffix]
        mine = [actual for actual in ours if actual["Tags"].get(NODE_TAG) == spec.logical_id]
        named = [actual for actual in mine if actual["Tags"].get("Name") == spec.aws_name]
        return self._at_most_one(spec, named or mine)

    def _find_namesake(self, spec: ResourceSpec, docs: Iterable[JsonObject]) -> JsonObject | None:
        # A resource with our Name that does not have the stack's tags.
        for actual in self._lasting(spec, self._with_tags_as_dict(docs)):
            if actual["Tags"].get("Name") == spec.aws_name and not has_stack_tags(actual["Tags"], spec.suffix):
                return actual
        return None

    def _lasting(self, spec: ResourceSpec, docs: list[JsonObject]) -> list[JsonObject]:
        """Return the resources that exist and stay: EC2 lists deleted ones for a while."""
        ended = (self.deleted, self.deleting, self.failed)
        return [
            actual
            for actual in docs
            if self.id_of(actual) not in spec.excluded_ids and not any(meets_condition(actual, end) for end in ended)
        ]

    def _at_most_one(self, spec: ResourceSpec, docs: list[JsonObject]) -> JsonObject | None:
        # Raises where two resources have the tags of one: a choice between them would be a guess.
        if len(docs) > 1:
            ids = " and ".join(self.id_of(actual) for actual in docs)
            raise Blocked(
                f"{ids} both carry the tags of {spec.aws_name or spec.logical_id}.",
                f"Delete the one that is not in use, or take its tag {NODE_TAG} away; then run this again.",
            )
        return docs[0] if docs else None

    def tag_specifications(self, spec: ResourceSpec) -> list[dict[str, Any]]:
        """Return the tags in the form that a create call takes."""
        return [{"ResourceType": self.iam_type, "Tags": pairs(spec.tags)}]

    def retag(self, ec2: Any, spec: ResourceSpec, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """Set and remove tags (CreateTags, DeleteTags)."""
        if put:
            ec2.create_tags(Resources=[spec.id], Tags=pairs(put))
        if gone := [{"Key": name} for name in drop]:
            ec2.delete_tags(Resources=[spec.id], Tags=gone)
