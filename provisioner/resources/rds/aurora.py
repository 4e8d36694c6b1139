"""The Aurora cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.calls.error_categories import code_of
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.data import codes, declare_operations, minutes
from provisioner.engine.types.field_owners import FieldOwner
from provisioner.engine.types.health_status import StatusClasses, in_lower_case
from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.engine.types.unmanaged import KnownChildren, Unmanaged
from provisioner.resources.ownership.data import DB_CLUSTER
from provisioner.resources.rds.base import MOST, NEW_ACCOUNT, NO_CLUSTER, NO_PARAMETERS, NO_SUBNETS, RdsResourceType
from provisioner.resources.tags import mapping, pairs
from provisioner.settings.postgres import DISABLED, ENROLLED, is_later_major


def is_newer_minor(actual: Any, desired: Any) -> bool:
    """Return whether a minor upgrade by AWS can explain the actual version `actual`.

    It can if `actual` is of the same major version as `desired`, and its minor version is not older.
    """
    now, then = str(actual).split("."), str(desired).split(".")
    numbers = [[int(part) for part in one if part.isdigit()] for one in (now, then)]
    return now[0] == then[0] and numbers[0] >= numbers[1]


def is_behind(actual: Any, desired: Any) -> str:
    """Return what to set if the cluster runs another major version than the declared one; "" otherwise."""
    major = str(actual).split(".", maxsplit=1)[0]
    if actual is None or str(desired).split(".", maxsplit=1)[0] == major:
        return ""
    return f"it runs version {actual}, and no upgrade is undone: set `database.version={major}`"


def is_moved_on(actual: Mapping[str, Any], seen: Any, desired: Any) -> bool:
    """Return whether AWS can have upgraded the cluster to a later major version.

    AWS does that to a cluster without extended support.
    """
    return actual.get("EngineLifecycleSupport") == DISABLED and is_later_major(str(seen), str(desired))


_AMAZONS_KEYS = {"KmsKeyId": "alias/aws/rds", "MasterUserSecretKmsKeyId": "alias/aws/secretsmanager"}
_KEY_IS_FIXED = (
    "a copy of its snapshot can be made under another key (`aws rds copy-db-cluster-snapshot --kms-key-id`) "
    "and restored. A database under AWS's key stays there with `encryption.database=false`; one under the "
    "stack's own key needs `encryption.key=own` for as long as it stands"
)
_AT_THE_END = frozenset({"SkipFinalSnapshot", "FinalDBSnapshotIdentifier"})
_EXPORTS = "EnableCloudwatchLogsExports"
# DescribeDBClusters returns these, and they are not changed under the same names (botocore rds
# ModifyDBCluster: Domain `none`; its HTTP endpoint is that of Serverless v1 only).
_BY_HAND = frozenset({"HttpEndpointEnabled", "DomainMemberships", "AssociatedRoles"})
# botocore rds DeleteDBCluster
_SNAPSHOT_TAKEN = "DBClusterSnapshotAlreadyExistsFault"
# How many characters of a cluster's resource id distinguish its final snapshot from an earlier cluster's.
_TAIL = 8


class DBCluster(RdsResourceType):
    """An Aurora cluster: storage, endpoints and master password; its instances are resources of their own."""

    id_paths = name_property = "DBClusterIdentifier"
    ownership = DB_CLUSTER
    noun, arn = "aurora", "DBClusterArn"
    ready, deleting = {"Status": "available"}, {"Status": "deleting"}
    failed = {"Status": frozenset({"failed", "inaccessible-encryption-credentials"})}
    # A stopped cluster can be neither changed nor deleted (hashicorp/terraform-provider-aws#28262). AWS
    # starts it again after seven days (Aurora user guide, stopping and starting a cluster).
    suspended = {"Status": frozenset({"stopped", "stopping"})}
    # Aurora user guide, "Viewing DB cluster status".
    status_classes = (
        StatusClasses(
            "Status",
            in_lower_case("available backing-up storage-optimization"),
            in_lower_case(
                "backtracking creating failing-over maintenance migrating modifying preparing-data-migration "
                "promoting renaming resetting-master-credentials starting update-iam-db-auth upgrading"
            ),
            in_lower_case(
                "cloning-failed failed inaccessible-encryption-credentials "
                "inaccessible-encryption-credentials-recoverable migration-failed stopped stopping"
            ),
            in_lower_case("deleting"),
        ),
    )
    resume_hint = "aws rds start-db-cluster --db-cluster-identifier {DBClusterIdentifier} --region {Region}"
    immutable = frozenset(
        {"DBClusterIdentifier", "Engine", "DatabaseName", "MasterUsername", "DBSubnetGroupName"}
        | {"StorageEncrypted", "KmsKeyId", "MasterUserSecretKmsKeyId"}
    )
    # The AWS managed keys; the key of an existing cluster cannot be changed (botocore rds ModifyDBCluster).
    defaults = {**_AMAZONS_KEYS, "EngineLifecycleSupport": ENROLLED}
    change_remedies = dict.fromkeys(_AMAZONS_KEYS, _KEY_IS_FIXED)
    # RDS upgrades minor versions in the maintenance window (AutoMinorVersionUpgrade is on by default). It
    # also upgrades the major version once its standard support has ended, if there is no extended support.
    field_owners = {
        "EngineVersion": FieldOwner("AWS, which upgrades minor versions", is_newer_minor, condition=is_moved_on)
    }
    irreversible = {"EngineVersion": is_behind}
    # AWS does not return how the cluster is to be deleted, nor its password.
    write_only = frozenset({"SkipFinalSnapshot", "FinalDBSnapshotIdentifier", "MasterUserPassword"})
    holds_data = True
    unprotected = {"DeletionProtection": False}
    unprotect_command = (
        "aws rds modify-db-cluster --db-cluster-identifier {DBClusterIdentifier} --no-deletion-protection "
        "--apply-immediately"
    )
    # DeleteDBCluster is accepted once the last instance is `deleting`; both deletions take minutes.
    deleted_alongside = frozenset({"DBInstance"})
    not_found_codes = NO_CLUSTER
    already_exists_codes = codes("DBClusterAlreadyExistsFault")
    # A new KMS key is not known everywhere at once.
    retryable_denials = codes("KMSKeyNotAccessibleFault")
    retryable_codes = {
        "create": NEW_ACCOUNT | NO_SUBNETS | NO_PARAMETERS | retryable_denials,
        "update": codes("InvalidDBClusterStateFault"),
        "delete": codes("InvalidDBClusterStateFault"),
    }
    # The cluster alone takes 1 to 2 min; terraform-provider-aws waits at most 120 min. After a modification
    # the status may still be `available` for 30 s (terraform-provider-aws rds/cluster.go).
    typical_create_seconds, typical_delete_seconds, timeout, stale_seconds = 90, 300, minutes(120), 30
    immutable_until_ready = True
    iam_type, arn_properties = "cluster", ("{DBClusterIdentifier}",)
    operations = declare_operations(
        read="DescribeDBClusters",
        create="CreateDBCluster",
        update="ModifyDBCluster DescribeDBClusters DisableHttpEndpoint RemoveRoleFromDBCluster",
        retag="AddTagsToResource RemoveTagsFromResource DescribeDBClusters",
        delete="DeleteDBCluster DescribeDBClusters",
    )

    def read(self, rds: Any, spec: ResourceSpec) -> JsonObject | None:
        """Read the cluster with DescribeDBClusters, under the property names of the create call.

        One call with a filter reads all clusters that are being read together.
        """
        own = spec.props[self.name_property]
        names = rds.batch_scope.batch(own, "DBCluster", by="name", most=MOST)
        filters = [{"Name": "db-cluster-id", "Values": names}]
        listed = rds.describe_db_clusters(Filters=filters)["DBClusters"] if len(names) > 1 else []
        found = [actual for actual in listed if actual["DBClusterIdentifier"] == own]
        found = found or rds.describe_db_clusters(DBClusterIdentifier=own)["DBClusters"]
        return _as_asked(found[0]) if found else None

    def create(self, rds: Any, spec: ResourceSpec) -> JsonObject:
        """Create the cluster with CreateDBCluster."""
        asked = {key: value for key, value in spec.props.items() if key not in _AT_THE_END}
        return _as_asked(rds.create_db_cluster(**asked, Tags=pairs(spec.tags))["DBCluster"])

    def update(self, rds: Any, spec: ResourceSpec, changed: JsonObject) -> None:
        """Modify the cluster at once, not in the maintenance window; close access that was opened by hand."""
        own = _AT_THE_END | _BY_HAND
        asked = {key: value for key, value in changed.items() if key not in own}
        now = (self.read(rds, spec) or {}) if changed.keys() & {*_BY_HAND, _EXPORTS} else {}
        if _EXPORTS in asked:
            desired = asked.pop(_EXPORTS)
            asked["CloudwatchLogsExportConfiguration"] = {
                "EnableLogTypes": desired,
                "DisableLogTypes": [one for one in now.get(_EXPORTS, []) if one not in desired],
            }
        if "DomainMemberships" in changed:
            asked["Domain"] = "none"
        self._shut(rds, spec, now, changed)
        if asked:
            rds.modify_db_cluster(DBClusterIdentifier=spec.id, ApplyImmediately=True, **asked)

    def _shut(self, rds: Any, spec: ResourceSpec, now: JsonObject, changed: JsonObject) -> None:
        """Turn off the HTTP endpoint and remove the associated roles, where they are among the changes."""
        if "HttpEndpointEnabled" in changed and now.get("HttpEndpointEnabled"):
            rds.disable_http_endpoint(ResourceArn=now[self.arn])
        for one in now.get("AssociatedRoles", []) if "AssociatedRoles" in changed else []:
            of = {"FeatureName": one["FeatureName"]} if one.get("FeatureName") else {}
            rds.remove_role_from_db_cluster(DBClusterIdentifier=spec.id, RoleArn=one["RoleArn"], **of)

    def delete(self, rds: Any, spec: ResourceSpec) -> None:
        """Delete the cluster; do nothing if it is being deleted already."""
        actual = self.read(rds, spec)
        if meets_going(actual):
            return
        ending = {key: spec.props[key] for key in _AT_THE_END if spec.props.get(key)}
        try:
            rds.delete_db_cluster(DBClusterIdentifier=spec.id, **(ending or {"SkipFinalSnapshot": True}))
        except ClientError as error:
            if actual is None or code_of(error) != _SNAPSHOT_TAKEN:
                raise
            # An earlier cluster of this stack has left a snapshot of this name: add a part of this cluster's
            # id to it.
            own = f"{ending['FinalDBSnapshotIdentifier']}-{actual['DbClusterResourceId'][-_TAIL:].lower()}"
            rds.delete_db_cluster(DBClusterIdentifier=spec.id, **{**ending, "FinalDBSnapshotIdentifier": own})

    def unmanaged(self, rds: Any, spec: ResourceSpec, actual: JsonObject, children: KnownChildren) -> list[Unmanaged]:
        """Return the cluster's instances that the stack does not declare; they are reported, not removed."""
        ours = children.values("DBInstanceIdentifier")
        names = (one["DBInstanceIdentifier"] for one in actual.get("DBClusterMembers", []))
        stays = "it serves the same data; delete it before a teardown, which waits for it"
        return [Unmanaged(f"instance {name}", {}, stays) for name in names if name not in ours]

    def delete_options(self, kept: JsonObject, declared: JsonObject) -> JsonObject:
        """Return the snapshot options of the deletion.

        A final snapshot is taken if it is declared now, or was declared at the last apply.
        """
        wants = declared if declared.get("SkipFinalSnapshot") is False else kept
        return {key: wants[key] for key in _AT_THE_END if key in wants}

    def data_loss(self, props: JsonObject) -> str:
        """Return what a deletion loses: the automated backups, and the data if no final snapshot is taken."""
        name = f"the database {props['DBClusterIdentifier']} and its automated backups"
        kept = props.get("FinalDBSnapshotIdentifier")
        return f"{name}; its data stay in the snapshot {kept}" if kept else f"{name}, with no last snapshot"


def meets_going(actual: JsonObject | None) -> bool:
    """Return whether a cluster or an instance is being deleted already."""
    return bool(actual) and "deleting" in ((actual or {}).get("Status"), (actual or {}).get("DBInstanceStatus"))


def _as_asked(actual: JsonObject) -> JsonObject:
    """Return a cluster under the property names of the create call."""
    groups = [group["VpcSecurityGroupId"] for group in actual.get("VpcSecurityGroups", [])]
    return {
        **actual,
        "DBSubnetGroupName": actual.get("DBSubnetGroup"),
        "DBClusterParameterGroupName": actual.get("DBClusterParameterGroup"),
        "VpcSecurityGroupIds": groups,
        "EnableCloudwatchLogsExports": actual.get("EnabledCloudwatchLogsExports", []),
        "ManageMasterUserPassword": bool(actual.get("MasterUserSecret")),
        "EnableIAMDatabaseAuthentication": bool(actual.get("IAMDatabaseAuthenticationEnabled")),
        "MasterUserSecretKmsKeyId": (actual.get("MasterUserSecret") or {}).get("KmsKeyId"),
        "Tags": mapping(actual.get("TagList", [])),
    }
