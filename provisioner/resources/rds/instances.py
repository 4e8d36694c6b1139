"""The instances of an Aurora cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.charges import Pricing
from provisioner.engine.types.data import codes, declare_operations, minutes
from provisioner.engine.types.field_ownership import FieldOwner
from provisioner.engine.types.health_status import StatusClasses, in_lower_case
from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.resources.field_owners.databases_and_keys import DB_INSTANCE
from provisioner.resources.rds.aurora import DBCluster, is_being_deleted
from provisioner.resources.rds.base import (
    CLUSTER_NOT_FOUND,
    MAX_FILTER_VALUES,
    ROLE_NOT_VISIBLE_YET,
    SERVICE_ROLE_NOT_VISIBLE_YET,
    RdsResourceType,
)
from provisioner.resources.rds.charges import instance_charges
from provisioner.resources.tags import mapping, pairs
from provisioner.service_clients import RDS

if TYPE_CHECKING:
    from types_boto3_rds.type_defs import FilterTypeDef


class DBInstance(RdsResourceType):
    """One instance of an Aurora cluster."""

    id_paths = name_property = "DBInstanceIdentifier"
    max_name_length = 63
    pricing = Pricing(instance_charges)
    ownership = DB_INSTANCE
    arn = "DBInstanceArn"
    ready, deleting = {"DBInstanceStatus": "available"}, {"DBInstanceStatus": "deleting"}
    # terraform-provider-aws rds/consts.go
    failed = {
        "DBInstanceStatus": frozenset(
            {"failed", "incompatible-network", "incompatible-parameters", "incompatible-restore"}
            | {"incompatible-create", "insufficient-capacity", "inaccessible-encryption-credentials"}
            | {"storage-full"}
        )
    }
    suspended = {"DBInstanceStatus": frozenset({"stopped", "stopping"})}
    # Aurora user guide, "Viewing DB instance status".
    status_classes = (
        StatusClasses(
            "DBInstanceStatus",
            in_lower_case("available backing-up storage-initialization storage-optimization"),
            in_lower_case(
                "configuring-activity-stream configuring-enhanced-monitoring configuring-iam-database-auth "
                "configuring-log-exports converting-to-vpc creating maintenance modifying moving-to-vpc "
                "rebooting renaming resetting-master-credentials starting storage-config-upgrade upgrading"
            ),
            in_lower_case(
                "failed inaccessible-encryption-credentials inaccessible-encryption-credentials-recoverable "
                "incompatible-create incompatible-network incompatible-option-group incompatible-parameters "
                "incompatible-restore insufficient-capacity restore-error stopped stopping storage-full"
            ),
            in_lower_case("delete-precheck deleting"),
        ),
    )
    resume_hint = DBCluster.resume_hint
    immutable = frozenset({"DBInstanceIdentifier", "DBClusterIdentifier", "Engine"})
    field_owners = {"AvailabilityZone": FieldOwner("AWS, which placed it")}
    not_found_codes = codes("DBInstanceNotFound")
    already_exists_codes = codes("DBInstanceAlreadyExists")
    retryable_codes = {
        # While the cluster is being created, the refused call is retried until it succeeds.
        "create": SERVICE_ROLE_NOT_VISIBLE_YET
        | ROLE_NOT_VISIBLE_YET
        | CLUSTER_NOT_FOUND
        | codes("InvalidDBClusterStateFault"),
        "update": codes("InvalidDBInstanceState") | ROLE_NOT_VISIBLE_YET,
        "delete": codes("InvalidDBInstanceState", "InvalidDBClusterStateFault"),
    }
    # Typically 5 to 10 min; terraform-provider-aws waits at most 90 min.
    typical_create_seconds, typical_delete_seconds, timeout, stale_seconds = 420, 300, minutes(90), 30
    immutable_until_ready = True
    # The writer may be deleted while its readers are still being deleted.
    deleted_alongside = frozenset({"DBInstance"})
    iam_type, arn_properties = "db", ("{DBInstanceIdentifier}",)
    operations = declare_operations(
        read="DescribeDBInstances",
        create="CreateDBInstance",
        update="ModifyDBInstance",
        retag="AddTagsToResource RemoveTagsFromResource DescribeDBInstances",
        delete="DeleteDBInstance DescribeDBInstances",
    )

    def read(self, rds: RDS, spec: ResourceSpec) -> JsonObject | None:
        """Read the instance with DescribeDBInstances.

        One call with a filter reads all instances that are being read together.
        """
        name = spec.props[self.name_property]
        names = rds.batch_scope.batch(name, "DBInstance", by="name", most=MAX_FILTER_VALUES)
        filters: list[FilterTypeDef] = [{"Name": "db-instance-id", "Values": names}]
        listed = rds.describe_db_instances(Filters=filters)["DBInstances"] if len(names) > 1 else []
        instances = [actual for actual in listed if actual["DBInstanceIdentifier"] == name]
        instances = instances or rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"]
        return _to_properties(instances[0]) if instances else None

    def create(self, rds: RDS, spec: ResourceSpec) -> JsonObject:
        """Create the instance with CreateDBInstance; its subnets and security groups are the cluster's."""
        return _to_properties(rds.create_db_instance(**spec.props, Tags=pairs(spec.tags))["DBInstance"])

    def update(self, rds: RDS, spec: ResourceSpec, changed: JsonObject) -> None:
        """Modify the instance at once, not in the maintenance window."""
        # RDS accepts a monitoring interval only together with a monitoring role (botocore rds
        # ModifyDBInstance).
        if changed.get("MonitoringInterval"):
            changed = {**changed, "MonitoringRoleArn": spec.props["MonitoringRoleArn"]}
        rds.modify_db_instance(DBInstanceIdentifier=spec.id, ApplyImmediately=True, **changed)

    def delete(self, rds: RDS, spec: ResourceSpec) -> None:
        """Delete the instance without a snapshot of its own; do nothing if it is being deleted already."""
        if not is_being_deleted(self.read(rds, spec)):
            rds.delete_db_instance(DBInstanceIdentifier=spec.id, SkipFinalSnapshot=True)


def _to_properties(actual: JsonObject) -> JsonObject:
    """Return an instance under the property names of the create call, with 0 where it is not monitored."""
    return {
        **actual,
        "EnablePerformanceInsights": bool(actual.get("PerformanceInsightsEnabled")),
        "MonitoringInterval": actual.get("MonitoringInterval") or 0,
        "Tags": mapping(actual.get("TagList", [])),
    }
