"""What all RDS resources share: tags by ARN, codes for what is missing, and the databases that use a group."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.blocker import Blocker
from provisioner.engine.types.data import codes
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.names import has_stack_tags, name_of
from provisioner.resources.tags import mapping, pairs, read_tags
from provisioner.service_clients import RDS

# How many values a filter may have in one request; a single resource is read by its name instead.
MAX_FILTER_VALUES = 50
CLUSTER_NOT_FOUND = codes("DBClusterNotFoundFault")
PARAMETER_GROUP_NOT_FOUND = codes("DBParameterGroupNotFound", "DBClusterParameterGroupNotFound")
SUBNET_GROUP_NOT_FOUND = codes("DBSubnetGroupNotFoundFault")
# The first use of RDS in an account may come before AWS has made its service-linked role
# (terraform-aws-modules/terraform-aws-rds#364).
SERVICE_ROLE_NOT_VISIBLE_YET = codes(
    "InvalidParameterValue: service linked role", "InvalidParameterValue: missing necessary credentials"
)
# A role that was just created, or has no policy yet (terraform-provider-aws rds/cluster.go, instance.go).
ROLE_NOT_VISIBLE_YET = codes("InvalidParameterValue: iam role arn value is invalid")


class RdsResourceType(ResourceType):
    """A resource type of RDS whose tags are set by ARN."""

    service = "rds"
    arn: str

    def with_tags(self, rds: RDS, spec: ResourceSpec, actual: JsonObject) -> JsonObject:
        """Return a resource as it was read, and its tags."""

        def read_tag_list() -> dict[str, str]:
            return mapping(rds.list_tags_for_resource(ResourceName=actual[self.arn])["TagList"])

        return {**actual, "Tags": read_tags(rds, spec, actual[self.arn], read_tag_list)}

    def retag(self, rds: RDS, spec: ResourceSpec, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """Change the tags with AddTagsToResource and RemoveTagsFromResource."""
        arn = (self.read(rds, spec) or {})[self.arn]
        if put:
            rds.add_tags_to_resource(ResourceName=arn, Tags=pairs(put))
        if removed_keys := list(drop):
            rds.remove_tags_from_resource(ResourceName=arn, TagKeys=removed_keys)


# The AWS operations that `databases_using` calls, for `declare_operations`.
BLOCKER_OPERATIONS = "DescribeDBClusters DescribeDBInstances"


def databases_using(rds: RDS, suffix: str, uses: Callable[[JsonObject], bool]) -> list[Blocker]:
    """Return the clusters, and the instances outside of any cluster, that use a group, as blockers.

    Args:
        rds: The RDS client.
        suffix: The suffix of the stack.
        uses: Whether a database, as AWS describes it, uses the group.

    """
    clusters = rds.describe_db_clusters()["DBClusters"]
    standalone = [
        database for database in rds.describe_db_instances()["DBInstances"] if not database.get("DBClusterIdentifier")
    ]
    return [_database_blocker(database, suffix) for database in (*clusters, *standalone) if uses(database)]


def _database_blocker(database: JsonObject, suffix: str) -> Blocker:
    """Return a database as a blocker, temporary if it is the stack's own or is being deleted.

    The stack's own is known by name and tags: a database restored from a snapshot of it may have its tags,
    but cannot have its name.
    """
    name = str(database.get("DBClusterIdentifier") or database["DBInstanceIdentifier"])
    status = database.get("Status") or database.get("DBInstanceStatus")
    is_ours = name == name_of("aurora", suffix) and has_stack_tags(mapping(database.get("TagList") or []), suffix)
    return Blocker(f"the database {name}", is_ours or status == "deleting")
