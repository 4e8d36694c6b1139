"""The instances of an Aurora cluster."""

from __future__ import annotations

from typing import Any

from provisioner.engine.kind import ResourceSpec
from provisioner.engine.owners import Owner
from provisioner.engine.refs import Doc
from provisioner.engine.states import States, words
from provisioner.engine.traits import calling, codes, minutes
from provisioner.kinds.members.data import DB_INSTANCE
from provisioner.kinds.rds.aurora import DBCluster, meets_going
from provisioner.kinds.rds.tagged import MOST, NEW_ACCOUNT, NEW_ROLE, NO_CLUSTER, Rds
from provisioner.kinds.tags import mapping, pairs


class DBInstance(Rds):
    """One instance of an Aurora cluster."""

    key = named = "DBInstanceIdentifier"
    members = DB_INSTANCE
    arn = "DBInstanceArn"
    ready, going = {"DBInstanceStatus": "available"}, {"DBInstanceStatus": "deleting"}
    # terraform-provider-aws rds/consts.go
    failed = {
        "DBInstanceStatus": frozenset(
            {"failed", "incompatible-network", "incompatible-parameters", "incompatible-restore"}
            | {"incompatible-create", "insufficient-capacity", "inaccessible-encryption-credentials"}
            | {"storage-full"}
        )
    }
    halted = {"DBInstanceStatus": frozenset({"stopped", "stopping"})}
    # Aurora user guide, "Viewing DB instance status".
    states = (
        States(
            "DBInstanceStatus",
            words("available backing-up storage-initialization storage-optimization"),
            words(
                "configuring-activity-stream configuring-enhanced-monitoring configuring-iam-database-auth "
                "configuring-log-exports converting-to-vpc creating maintenance modifying moving-to-vpc "
                "rebooting renaming resetting-master-credentials starting storage-config-upgrade upgrading"
            ),
            words(
                "failed inaccessible-encryption-credentials inaccessible-encryption-credentials-recoverable "
                "incompatible-create incompatible-network incompatible-option-group incompatible-parameters "
                "incompatible-restore insufficient-capacity restore-error stopped stopping storage-full"
            ),
            words("delete-precheck deleting"),
        ),
    )
    wake = DBCluster.wake
    fixed = frozenset({"DBInstanceIdentifier", "DBClusterIdentifier", "Engine"})
    owners = {"AvailabilityZone": Owner("AWS, which placed it")}
    absent = codes("DBInstanceNotFound")
    duplicate = codes("DBInstanceAlreadyExists")
    transient = {
        # While the cluster is being created, the refused call is retried until it succeeds.
        "create": NEW_ACCOUNT | NEW_ROLE | NO_CLUSTER | codes("InvalidDBClusterStateFault"),
        "update": codes("InvalidDBInstanceState") | NEW_ROLE,
        "delete": codes("InvalidDBInstanceState", "InvalidDBClusterStateFault"),
    }
    # Typically 5 to 10 min; terraform-provider-aws waits at most 90 min.
    takes, takes_to_go, patience, stale_for = 420, 300, minutes(90), 30
    closed_until_ready = True
    # The writer may be deleted while its readers are still being deleted.
    goes_beside = frozenset({"DBInstance"})
    resource, fills = "db", ("{DBInstanceIdentifier}",)
    calls = calling(
        read="DescribeDBInstances",
        create="CreateDBInstance",
        update="ModifyDBInstance",
        retag="AddTagsToResource RemoveTagsFromResource DescribeDBInstances",
        delete="DeleteDBInstance DescribeDBInstances",
    )

    def read(self, rds: Any, spec: ResourceSpec) -> Doc | None:
        """Read the instance with DescribeDBInstances.

        One call with a filter reads all instances that are being read together.
        """
        own = spec.props[self.named]
        names = rds.peers.together(own, "DBInstance", by="name", most=MOST)
        filters = [{"Name": "db-instance-id", "Values": names}]
        listed = rds.describe_db_instances(Filters=filters)["DBInstances"] if len(names) > 1 else []
        found = [doc for doc in listed if doc["DBInstanceIdentifier"] == own]
        found = found or rds.describe_db_instances(DBInstanceIdentifier=own)["DBInstances"]
        return _as_asked(found[0]) if found else None

    def create(self, rds: Any, spec: ResourceSpec) -> Doc:
        """Create the instance with CreateDBInstance; its subnets and security groups are the cluster's."""
        return _as_asked(rds.create_db_instance(**spec.props, Tags=pairs(spec.tags))["DBInstance"])

    def update(self, rds: Any, spec: ResourceSpec, changed: Doc) -> None:
        """Modify the instance at once, not in the maintenance window."""
        # RDS accepts a monitoring interval only together with a monitoring role (botocore rds
        # ModifyDBInstance).
        if changed.get("MonitoringInterval"):
            changed = {**changed, "MonitoringRoleArn": spec.props["MonitoringRoleArn"]}
        rds.modify_db_instance(DBInstanceIdentifier=spec.id, ApplyImmediately=True, **changed)

    def delete(self, rds: Any, spec: ResourceSpec) -> None:
        """Delete the instance without a snapshot of its own; do nothing if it is being deleted already."""
        if not meets_going(self.read(rds, spec)):
            rds.delete_db_instance(DBInstanceIdentifier=spec.id, SkipFinalSnapshot=True)


def _as_asked(doc: Doc) -> Doc:
    """Return an instance under the property names of the create call, with 0 where it is not monitored."""
    return {
        **doc,
        "EnablePerformanceInsights": bool(doc.get("PerformanceInsightsEnabled")),
        "MonitoringInterval": doc.get("MonitoringInterval") or 0,
        "Tags": mapping(doc.get("TagList", [])),
    }
