"""The Aurora cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.extras import Extra, Inside
from provisioner.engine.faults import code_of
from provisioner.engine.kind import ResourceSpec
from provisioner.engine.owners import Owner
from provisioner.engine.refs import Doc
from provisioner.engine.states import States, words
from provisioner.engine.traits import calling, codes, minutes
from provisioner.kinds.members.data import DB_CLUSTER
from provisioner.kinds.rds.tagged import MOST, NEW_ACCOUNT, NO_CLUSTER, NO_PARAMETERS, NO_SUBNETS, Rds
from provisioner.kinds.tags import mapping, pairs
from provisioner.settings.postgres import DISABLED, ENROLLED, is_later_major


def is_newer_minor(seen: Any, wanted: Any) -> bool:
    """Return whether a minor upgrade by AWS can explain the actual version `seen`.

    It can if `seen` is of the same major version as `wanted`, and its minor version is not older.
    """
    now, then = str(seen).split("."), str(wanted).split(".")
    numbers = [[int(part) for part in one if part.isdigit()] for one in (now, then)]
    return now[0] == then[0] and numbers[0] >= numbers[1]


def is_behind(seen: Any, wanted: Any) -> str:
    """Return what to set if the cluster runs another major version than the declared one; "" otherwise."""
    major = str(seen).split(".", maxsplit=1)[0]
    if seen is None or str(wanted).split(".", maxsplit=1)[0] == major:
        return ""
    return f"it runs version {seen}, and no upgrade is undone: set `database.version={major}`"


def is_moved_on(doc: Mapping[str, Any], seen: Any, wanted: Any) -> bool:
    """Return whether AWS can have upgraded the cluster to a later major version.

    AWS does that to a cluster without extended support.
    """
    return doc.get("EngineLifecycleSupport") == DISABLED and is_later_major(str(seen), str(wanted))


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


class DBCluster(Rds):
    """An Aurora cluster: storage, endpoints and master password; its instances are resources of their own."""

    key = named = "DBClusterIdentifier"
    members = DB_CLUSTER
    noun, arn = "aurora", "DBClusterArn"
    ready, going = {"Status": "available"}, {"Status": "deleting"}
    failed = {"Status": frozenset({"failed", "inaccessible-encryption-credentials"})}
    # A stopped cluster can be neither changed nor deleted (hashicorp/terraform-provider-aws#28262). AWS
    # starts it again after seven days (Aurora user guide, stopping and starting a cluster).
    halted = {"Status": frozenset({"stopped", "stopping"})}
    # Aurora user guide, "Viewing DB cluster status".
    states = (
        States(
            "Status",
            words("available backing-up storage-optimization"),
            words(
                "backtracking creating failing-over maintenance migrating modifying preparing-data-migration "
                "promoting renaming resetting-master-credentials starting update-iam-db-auth upgrading"
            ),
            words(
                "cloning-failed failed inaccessible-encryption-credentials "
                "inaccessible-encryption-credentials-recoverable migration-failed stopped stopping"
            ),
            words("deleting"),
        ),
    )
    wake = "aws rds start-db-cluster --db-cluster-identifier {DBClusterIdentifier} --region {Region}"
    fixed = frozenset(
        {"DBClusterIdentifier", "Engine", "DatabaseName", "MasterUsername", "DBSubnetGroupName"}
        | {"StorageEncrypted", "KmsKeyId", "MasterUserSecretKmsKeyId"}
    )
    # The AWS managed keys; the key of an existing cluster cannot be changed (botocore rds ModifyDBCluster).
    defaults = {**_AMAZONS_KEYS, "EngineLifecycleSupport": ENROLLED}
    ways_out = dict.fromkeys(_AMAZONS_KEYS, _KEY_IS_FIXED)
    # RDS upgrades minor versions in the maintenance window (AutoMinorVersionUpgrade is on by default). It
    # also upgrades the major version once its standard support has ended, if there is no extended support.
    owners = {"EngineVersion": Owner("AWS, which upgrades minor versions", is_newer_minor, also=is_moved_on)}
    one_way = {"EngineVersion": is_behind}
    # AWS does not return how the cluster is to be deleted, nor its password.
    unread = frozenset({"SkipFinalSnapshot", "FinalDBSnapshotIdentifier", "MasterUserPassword"})
    holds_data = True
    unprotected = {"DeletionProtection": False}
    unprotected_by = (
        "aws rds modify-db-cluster --db-cluster-identifier {DBClusterIdentifier} --no-deletion-protection "
        "--apply-immediately"
    )
    # DeleteDBCluster is accepted once the last instance is `deleting`; both deletions take minutes.
    goes_beside = frozenset({"DBInstance"})
    absent = NO_CLUSTER
    duplicate = codes("DBClusterAlreadyExistsFault")
    # A new KMS key is not known everywhere at once.
    or_denied = codes("KMSKeyNotAccessibleFault")
    transient = {
        "create": NEW_ACCOUNT | NO_SUBNETS | NO_PARAMETERS | or_denied,
        "update": codes("InvalidDBClusterStateFault"),
        "delete": codes("InvalidDBClusterStateFault"),
    }
    # The cluster alone takes 1 to 2 min; terraform-provider-aws waits at most 120 min. After a modification
    # the status may still be `available` for 30 s (terraform-provider-aws rds/cluster.go).
    takes, takes_to_go, patience, stale_for = 90, 300, minutes(120), 30
    closed_until_ready = True
    resource, fills = "cluster", ("{DBClusterIdentifier}",)
    calls = calling(
        read="DescribeDBClusters",
        create="CreateDBCluster",
        update="ModifyDBCluster DescribeDBClusters DisableHttpEndpoint RemoveRoleFromDBCluster",
        retag="AddTagsToResource RemoveTagsFromResource DescribeDBClusters",
        delete="DeleteDBCluster DescribeDBClusters",
    )

    def read(self, rds: Any, spec: ResourceSpec) -> Doc | None:
        """Read the cluster with DescribeDBClusters, under the property names of the create call.

        One call with a filter reads all clusters that are being read together.
        """
        own = spec.props[self.named]
        names = rds.peers.together(own, "DBCluster", by="name", most=MOST)
        filters = [{"Name": "db-cluster-id", "Values": names}]
        listed = rds.describe_db_clusters(Filters=filters)["DBClusters"] if len(names) > 1 else []
        found = [doc for doc in listed if doc["DBClusterIdentifier"] == own]
        found = found or rds.describe_db_clusters(DBClusterIdentifier=own)["DBClusters"]
        return _as_asked(found[0]) if found else None

    def create(self, rds: Any, spec: ResourceSpec) -> Doc:
        """Create the cluster with CreateDBCluster."""
        asked = {key: value for key, value in spec.props.items() if key not in _AT_THE_END}
        return _as_asked(rds.create_db_cluster(**asked, Tags=pairs(spec.tags))["DBCluster"])

    def update(self, rds: Any, spec: ResourceSpec, changed: Doc) -> None:
        """Modify the cluster at once, not in the maintenance window; close access that was opened by hand."""
        own = _AT_THE_END | _BY_HAND
        asked = {key: value for key, value in changed.items() if key not in own}
        now = (self.read(rds, spec) or {}) if changed.keys() & {*_BY_HAND, _EXPORTS} else {}
        if _EXPORTS in asked:
            wanted = asked.pop(_EXPORTS)
            asked["CloudwatchLogsExportConfiguration"] = {
                "EnableLogTypes": wanted,
                "DisableLogTypes": [one for one in now.get(_EXPORTS, []) if one not in wanted],
            }
        if "DomainMemberships" in changed:
            asked["Domain"] = "none"
        self._shut(rds, spec, now, changed)
        if asked:
            rds.modify_db_cluster(DBClusterIdentifier=spec.id, ApplyImmediately=True, **asked)

    def _shut(self, rds: Any, spec: ResourceSpec, now: Doc, changed: Doc) -> None:
        """Turn off the HTTP endpoint and remove the associated roles, where they are among the changes."""
        if "HttpEndpointEnabled" in changed and now.get("HttpEndpointEnabled"):
            rds.disable_http_endpoint(ResourceArn=now[self.arn])
        for one in now.get("AssociatedRoles", []) if "AssociatedRoles" in changed else []:
            of = {"FeatureName": one["FeatureName"]} if one.get("FeatureName") else {}
            rds.remove_role_from_db_cluster(DBClusterIdentifier=spec.id, RoleArn=one["RoleArn"], **of)

    def delete(self, rds: Any, spec: ResourceSpec) -> None:
        """Delete the cluster; do nothing if it is being deleted already."""
        doc = self.read(rds, spec)
        if meets_going(doc):
            return
        ending = {key: spec.props[key] for key in _AT_THE_END if spec.props.get(key)}
        try:
            rds.delete_db_cluster(DBClusterIdentifier=spec.id, **(ending or {"SkipFinalSnapshot": True}))
        except ClientError as error:
            if doc is None or code_of(error) != _SNAPSHOT_TAKEN:
                raise
            # An earlier cluster of this stack has left a snapshot of this name: add a part of this cluster's
            # id to it.
            own = f"{ending['FinalDBSnapshotIdentifier']}-{doc['DbClusterResourceId'][-_TAIL:].lower()}"
            rds.delete_db_cluster(DBClusterIdentifier=spec.id, **{**ending, "FinalDBSnapshotIdentifier": own})

    def extras(self, rds: Any, spec: ResourceSpec, doc: Doc, inside: Inside) -> list[Extra]:
        """Return the cluster's instances that the stack does not declare; they are reported, not removed."""
        ours = inside.values("DBInstanceIdentifier")
        names = (one["DBInstanceIdentifier"] for one in doc.get("DBClusterMembers", []))
        stays = "it serves the same data; delete it before a teardown, which waits for it"
        return [Extra(f"instance {name}", {}, stays) for name in names if name not in ours]

    def last_will(self, kept: Doc, declared: Doc) -> Doc:
        """Return the snapshot options of the deletion.

        A final snapshot is taken if it is declared now, or was declared at the last apply.
        """
        wants = declared if declared.get("SkipFinalSnapshot") is False else kept
        return {key: wants[key] for key in _AT_THE_END if key in wants}

    def lost(self, props: Doc) -> str:
        """Return what a deletion loses: the automated backups, and the data if no final snapshot is taken."""
        name = f"the database {props['DBClusterIdentifier']} and its automated backups"
        kept = props.get("FinalDBSnapshotIdentifier")
        return f"{name}; its data stay in the snapshot {kept}" if kept else f"{name}, with no last snapshot"


def meets_going(doc: Doc | None) -> bool:
    """Return whether a cluster or an instance is being deleted already."""
    return bool(doc) and "deleting" in ((doc or {}).get("Status"), (doc or {}).get("DBInstanceStatus"))


def _as_asked(doc: Doc) -> Doc:
    """Return a cluster under the property names of the create call."""
    groups = [group["VpcSecurityGroupId"] for group in doc.get("VpcSecurityGroups", [])]
    return {
        **doc,
        "DBSubnetGroupName": doc.get("DBSubnetGroup"),
        "DBClusterParameterGroupName": doc.get("DBClusterParameterGroup"),
        "VpcSecurityGroupIds": groups,
        "EnableCloudwatchLogsExports": doc.get("EnabledCloudwatchLogsExports", []),
        "ManageMasterUserPassword": bool(doc.get("MasterUserSecret")),
        "EnableIAMDatabaseAuthentication": bool(doc.get("IAMDatabaseAuthenticationEnabled")),
        "MasterUserSecretKmsKeyId": (doc.get("MasterUserSecret") or {}).get("KmsKeyId"),
        "Tags": mapping(doc.get("TagList", [])),
    }
