"""The Aurora cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from provisioner.engine.calls.error_categories import code_of
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.charges import Pricing
from provisioner.engine.types.data import codes, declare_operations, minutes
from provisioner.engine.types.field_ownership import FieldOwner
from provisioner.engine.types.health_status import StatusClasses, in_lower_case
from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.engine.types.unmanaged import KnownChildren, Unmanaged
from provisioner.resources.field_owners.databases_and_keys import DB_CLUSTER
from provisioner.resources.rds.base import (
    CLUSTER_NOT_FOUND,
    MAX_FILTER_VALUES,
    PARAMETER_GROUP_NOT_FOUND,
    SERVICE_ROLE_NOT_VISIBLE_YET,
    SUBNET_GROUP_NOT_FOUND,
    RdsResourceType,
)
from provisioner.resources.rds.charges import cluster_charges
from provisioner.resources.tags import mapping, pairs
from provisioner.service_clients import RDS
from provisioner.settings.postgres import EXTENDED_SUPPORT, NO_EXTENDED_SUPPORT, is_later_major

if TYPE_CHECKING:
    from types_boto3_rds.type_defs import FilterTypeDef


def is_newer_minor(actual: Any, desired: Any) -> bool:
    """Return whether a minor upgrade by AWS can explain the actual version `actual`.

    It can if `actual` is of the same major version as `desired`, and its minor version is not older.
    """
    actual_parts, desired_parts = str(actual).split("."), str(desired).split(".")
    is_same_major = actual_parts[0] == desired_parts[0]
    return is_same_major and _numbers(actual_parts) >= _numbers(desired_parts)


def _numbers(parts: list[str]) -> list[int]:
    """Return the numeric parts of a version."""
    return [int(part) for part in parts if part.isdigit()]


def describe_major_mismatch(actual: Any, desired: Any) -> str:
    """Return what to set if the cluster runs another major version than the declared one; "" otherwise."""
    major = str(actual).split(".", maxsplit=1)[0]
    if actual is None or str(desired).split(".", maxsplit=1)[0] == major:
        return ""
    return f"it runs version {actual}, and no upgrade is undone: set `database.version={major}`"


def is_major_upgraded_by_aws(actual: Mapping[str, Any], actual_version: Any, desired: Any) -> bool:
    """Return whether AWS can have upgraded the cluster to a later major version.

    AWS does that to a cluster without extended support.
    """
    return actual.get("EngineLifecycleSupport") == NO_EXTENDED_SUPPORT and is_later_major(
        str(actual_version), str(desired)
    )


_AWS_MANAGED_KEYS = {"KmsKeyId": "alias/aws/rds", "MasterUserSecretKmsKeyId": "alias/aws/secretsmanager"}
_KEY_CHANGE_REMEDY = (
    "a copy of its snapshot can be made under another key (`aws rds copy-db-cluster-snapshot --kms-key-id`) "
    "and restored. A database under AWS's key stays there with `encryption.database=false`; one under the "
    "stack's own key needs `encryption.key=own` for as long as it exists"
)
_DELETE_OPTIONS = frozenset({"SkipFinalSnapshot", "FinalDBSnapshotIdentifier"})
_EXPORTS = "EnableCloudwatchLogsExports"
# DescribeDBClusters returns these, and they are not changed under the same names (botocore rds
# ModifyDBCluster: Domain `none`; its HTTP endpoint is that of Serverless v1 only).
_OPENED_BY_HAND = frozenset({"HttpEndpointEnabled", "DomainMemberships", "AssociatedRoles"})
# botocore rds DeleteDBCluster
_SNAPSHOT_EXISTS = "DBClusterSnapshotAlreadyExistsFault"
# How many characters of a cluster's resource id distinguish its final snapshot from an earlier cluster's.
_ID_SUFFIX_LENGTH = 8


class DBCluster(RdsResourceType):
    """An Aurora cluster: storage, endpoints and master password; its instances are resources of their own."""

    id_paths = name_property = "DBClusterIdentifier"
    max_name_length = 63
    pricing = Pricing(cluster_charges, by_use="database storage, I/O and backups")
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
    defaults = {**_AWS_MANAGED_KEYS, "EngineLifecycleSupport": EXTENDED_SUPPORT}
    change_remedies = dict.fromkeys(_AWS_MANAGED_KEYS, _KEY_CHANGE_REMEDY)
    # RDS upgrades minor versions in the maintenance window (AutoMinorVersionUpgrade is on by default). It
    # also upgrades the major version once its standard support has ended, if there is no extended support.
    field_owners = {
        "EngineVersion": FieldOwner(
            "AWS, which upgrades minor versions", is_newer_minor, condition=is_major_upgraded_by_aws
        )
    }
    irreversible = {"EngineVersion": describe_major_mismatch}
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
    not_found_codes = CLUSTER_NOT_FOUND
    already_exists_codes = codes("DBClusterAlreadyExistsFault")
    # A new KMS key is not known everywhere at once.
    retryable_denials = codes("KMSKeyNotAccessibleFault")
    retryable_codes = {
        "create": SERVICE_ROLE_NOT_VISIBLE_YET | SUBNET_GROUP_NOT_FOUND | PARAMETER_GROUP_NOT_FOUND | retryable_denials,
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

    def read(self, rds: RDS, spec: ResourceSpec) -> JsonObject | None:
        """Read the cluster with DescribeDBClusters, under the property names of the create call.

        One call with a filter reads all clusters that are being read together.
        """
        name = spec.props[self.name_property]
        names = rds.batch_scope.batch(name, "DBCluster", by="name", most=MAX_FILTER_VALUES)
        filters: list[FilterTypeDef] = [{"Name": "db-cluster-id", "Values": names}]
        listed = rds.describe_db_clusters(Filters=filters)["DBClusters"] if len(names) > 1 else []
        clusters = [actual for actual in listed if actual["DBClusterIdentifier"] == name]
        clusters = clusters or rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"]
        return _to_properties(clusters[0]) if clusters else None

    def create(self, rds: RDS, spec: ResourceSpec) -> JsonObject:
        """Create the cluster with CreateDBCluster."""
        request = {key: value for key, value in spec.props.items() if key not in _DELETE_OPTIONS}
        return _to_properties(rds.create_db_cluster(**request, Tags=pairs(spec.tags))["DBCluster"])

    def update(self, rds: RDS, spec: ResourceSpec, changed: JsonObject) -> None:
        """Modify the cluster at once, not in the maintenance window; close access that was opened by hand."""
        other_calls = _DELETE_OPTIONS | _OPENED_BY_HAND
        request = {key: value for key, value in changed.items() if key not in other_calls}
        current = (self.read(rds, spec) or {}) if changed.keys() & {*_OPENED_BY_HAND, _EXPORTS} else {}
        if _EXPORTS in request:
            log_types = request.pop(_EXPORTS)
            request["CloudwatchLogsExportConfiguration"] = {
                "EnableLogTypes": log_types,
                "DisableLogTypes": [name for name in current.get(_EXPORTS, []) if name not in log_types],
            }
        if "DomainMemberships" in changed:
            request["Domain"] = "none"
        self._close_manual_access(rds, spec, current, changed)
        if request:
            rds.modify_db_cluster(DBClusterIdentifier=spec.id, ApplyImmediately=True, **request)

    def _close_manual_access(self, rds: RDS, spec: ResourceSpec, current: JsonObject, changed: JsonObject) -> None:
        """Turn off the HTTP endpoint and remove the associated roles, where they are among the changes."""
        if "HttpEndpointEnabled" in changed and current.get("HttpEndpointEnabled"):
            rds.disable_http_endpoint(ResourceArn=current[self.arn])
        for role in current.get("AssociatedRoles", []) if "AssociatedRoles" in changed else []:
            feature = {"FeatureName": role["FeatureName"]} if role.get("FeatureName") else {}
            rds.remove_role_from_db_cluster(DBClusterIdentifier=spec.id, RoleArn=role["RoleArn"], **feature)

    def delete(self, rds: RDS, spec: ResourceSpec) -> None:
        """Delete the cluster; do nothing if it is being deleted already."""
        actual = self.read(rds, spec)
        if is_being_deleted(actual):
            return
        options = {key: spec.props[key] for key in _DELETE_OPTIONS if spec.props.get(key)}
        try:
            rds.delete_db_cluster(DBClusterIdentifier=spec.id, **(options or {"SkipFinalSnapshot": True}))
        except ClientError as error:
            if actual is None or code_of(error) != _SNAPSHOT_EXISTS:
                raise
            # An earlier cluster of this stack has left a snapshot of this name: add a part of this cluster's
            # id to it.
            snapshot_name = (
                f"{options['FinalDBSnapshotIdentifier']}-{actual['DbClusterResourceId'][-_ID_SUFFIX_LENGTH:].lower()}"
            )
            rds.delete_db_cluster(
                DBClusterIdentifier=spec.id, **{**options, "FinalDBSnapshotIdentifier": snapshot_name}
            )

    def unmanaged(self, rds: RDS, spec: ResourceSpec, actual: JsonObject, children: KnownChildren) -> list[Unmanaged]:
        """Return the cluster's instances that the stack does not declare; they are reported, not removed."""
        declared_names = children.values("DBInstanceIdentifier")
        names = (member["DBInstanceIdentifier"] for member in actual.get("DBClusterMembers", []))
        reason = "it serves the same data; delete it before a teardown, which waits for it"
        return [Unmanaged(f"instance {name}", {}, reason) for name in names if name not in declared_names]

    def delete_options(self, kept: JsonObject, declared: JsonObject) -> JsonObject:
        """Return the snapshot options of the deletion.

        A final snapshot is taken if it is declared now, or was declared at the last apply.
        """
        source = declared if declared.get("SkipFinalSnapshot") is False else kept
        return {key: source[key] for key in _DELETE_OPTIONS if key in source}

    def data_loss(self, props: JsonObject) -> str:
        """Return what a deletion loses: the automated backups, and the data if no final snapshot is taken."""
        lost = f"the database {props['DBClusterIdentifier']} and its automated backups"
        snapshot = props.get("FinalDBSnapshotIdentifier")
        return f"{lost}; its data stay in the snapshot {snapshot}" if snapshot else f"{lost}, with no last snapshot"


def is_being_deleted(actual: JsonObject | None) -> bool:
    """Return whether a cluster or an instance is being deleted already."""
    if actual is None:
        return False
    return "deleting" in (actual.get("Status"), actual.get("DBInstanceStatus"))


def _to_properties(actual: JsonObject) -> JsonObject:
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
