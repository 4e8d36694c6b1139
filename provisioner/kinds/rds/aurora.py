"""An Aurora cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.extras import Extra, Inside
from provisioner.engine.faults import code_of
from provisioner.engine.kind import Item
from provisioner.engine.owners import Owner
from provisioner.engine.refs import Doc
from provisioner.engine.states import States, words
from provisioner.engine.traits import calling, codes, minutes
from provisioner.kinds.members.data import DB_CLUSTER
from provisioner.kinds.rds.tagged import MOST, NEW_ACCOUNT, NO_CLUSTER, NO_PARAMETERS, NO_SUBNETS, Rds
from provisioner.kinds.tags import mapping, pairs
from provisioner.settings.postgres import DISABLED, ENROLLED, is_later_major


def is_newer_minor(seen: Any, wanted: Any) -> bool:
    """Whether AWS can have made `wanted` what is `seen`: the same major version, the minor not older."""
    now, then = str(seen).split("."), str(wanted).split(".")
    numbers = [[int(part) for part in one if part.isdigit()] for one in (now, then)]
    return now[0] == then[0] and numbers[0] >= numbers[1]


def is_behind(seen: Any, wanted: Any) -> str:
    """That somebody has moved it to another major version, and what to set; "" where nobody has."""
    major = str(seen).split(".", maxsplit=1)[0]
    if seen is None or str(wanted).split(".", maxsplit=1)[0] == major:
        return ""
    return f"it runs version {seen}, and no upgrade is undone: set `database.version={major}`"


def is_moved_on(doc: Mapping[str, Any], seen: Any, wanted: Any) -> bool:
    """Whether AWS can have moved a cluster to a later major version: it is to have no extended support."""
    return doc.get("EngineLifecycleSupport") == DISABLED and is_later_major(str(seen), str(wanted))


_AMAZONS_KEYS = {"KmsKeyId": "alias/aws/rds", "MasterUserSecretKmsKeyId": "alias/aws/secretsmanager"}
_KEY_IS_FIXED = (
    "a copy of its snapshot can be made under another key (`aws rds copy-db-cluster-snapshot --kms-key-id`) "
    "and restored. A database under AWS's key stays there with `encryption.database=false`; one under the "
    "stack's own key needs `encryption.key=own` for as long as it stands"
)
_AT_THE_END = frozenset({"SkipFinalSnapshot", "FinalDBSnapshotIdentifier"})
_EXPORTS = "EnableCloudwatchLogsExports"
# Told by DescribeDBClusters under these names, and changed by others (botocore rds ModifyDBCluster: Domain
# `none`; its HTTP endpoint is that of Serverless v1 alone).
_BY_HAND = frozenset({"HttpEndpointEnabled", "DomainMemberships", "AssociatedRoles"})
# botocore rds DeleteDBCluster
_SNAPSHOT_TAKEN = "DBClusterSnapshotAlreadyExistsFault"
# So much of a cluster's own id tells its last snapshot from that of the one before.
_TAIL = 8


class DBCluster(Rds):
    """An Aurora cluster: storage, endpoints and the master's password; instances stand in it."""

    key = named = "DBClusterIdentifier"
    members = DB_CLUSTER
    noun, arn = "aurora", "DBClusterArn"
    ready, going = {"Status": "available"}, {"Status": "deleting"}
    failed = {"Status": frozenset({"failed", "inaccessible-encryption-credentials"})}
    # Neither changed nor deleted while it is (hashicorp/terraform-provider-aws#28262); AWS itself wakes it
    # after seven days (Aurora user guide, stopping and starting a cluster).
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
    # AWS's own keys; no cluster that is there comes under another one (botocore rds ModifyDBCluster).
    defaults = {**_AMAZONS_KEYS, "EngineLifecycleSupport": ENROLLED}
    ways_out = dict.fromkeys(_AMAZONS_KEYS, _KEY_IS_FIXED)
    # RDS upgrades minor versions in the maintenance window (AutoMinorVersionUpgrade is on by default).
    # The major one too, where its standard support has ended and there is no extended one.
    owners = {"EngineVersion": Owner("AWS, which upgrades minor versions", is_newer_minor, also=is_moved_on)}
    one_way = {"EngineVersion": is_behind}
    # How it is to be deleted is not told by AWS; the password is told by nobody.
    unread = frozenset({"SkipFinalSnapshot", "FinalDBSnapshotIdentifier", "MasterUserPassword"})
    holds_data = True
    unprotected = {"DeletionProtection": False}
    unprotected_by = (
        "aws rds modify-db-cluster --db-cluster-identifier {DBClusterIdentifier} --no-deletion-protection "
        "--apply-immediately"
    )
    # DeleteDBCluster is taken once its last instance is `deleting`; both ends take minutes.
    goes_beside = frozenset({"DBInstance"})
    absent = NO_CLUSTER
    duplicate = codes("DBClusterAlreadyExistsFault")
    # A new key is not seen everywhere at once.
    or_denied = codes("KMSKeyNotAccessibleFault")
    transient = {
        "create": NEW_ACCOUNT | NO_SUBNETS | NO_PARAMETERS | or_denied,
        "update": codes("InvalidDBClusterStateFault"),
        "delete": codes("InvalidDBClusterStateFault"),
    }
    # Cluster alone 1 to 2 min; provider ceiling 120 min. After a modify the status may still read
    # `available` for 30 s (terraform-provider-aws rds/cluster.go).
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

    def read(self, rds: Any, it: Item) -> Doc | None:
        """DescribeDBClusters, in the names that the create call uses."""
        own = it.props[self.named]
        names = rds.peers.together(own, "DBCluster", by="name", most=MOST)
        filters = [{"Name": "db-cluster-id", "Values": names}]
        listed = rds.describe_db_clusters(Filters=filters)["DBClusters"] if len(names) > 1 else []
        found = [doc for doc in listed if doc["DBClusterIdentifier"] == own]
        found = found or rds.describe_db_clusters(DBClusterIdentifier=own)["DBClusters"]
        return _as_asked(found[0]) if found else None

    def create(self, rds: Any, it: Item) -> Doc:
        """CreateDBCluster."""
        asked = {key: value for key, value in it.props.items() if key not in _AT_THE_END}
        return _as_asked(rds.create_db_cluster(**asked, Tags=pairs(it.tags))["DBCluster"])

    def update(self, rds: Any, it: Item, changed: Doc) -> None:
        """ModifyDBCluster, at once and not in the maintenance window; what somebody opened is shut."""
        own = _AT_THE_END | _BY_HAND
        asked = {key: value for key, value in changed.items() if key not in own}
        now = (self.read(rds, it) or {}) if changed.keys() & {*_BY_HAND, _EXPORTS} else {}
        if _EXPORTS in asked:
            wanted = asked.pop(_EXPORTS)
            asked["CloudwatchLogsExportConfiguration"] = {
                "EnableLogTypes": wanted,
                "DisableLogTypes": [one for one in now.get(_EXPORTS, []) if one not in wanted],
            }
        if "DomainMemberships" in changed:
            asked["Domain"] = "none"
        self._shut(rds, it, now, changed)
        if asked:
            rds.modify_db_cluster(DBClusterIdentifier=it.id, ApplyImmediately=True, **asked)

    def _shut(self, rds: Any, it: Item, now: Doc, changed: Doc) -> None:
        """DisableHttpEndpoint, RemoveRoleFromDBCluster: what somebody opened."""
        if "HttpEndpointEnabled" in changed and now.get("HttpEndpointEnabled"):
            rds.disable_http_endpoint(ResourceArn=now[self.arn])
        for one in now.get("AssociatedRoles", []) if "AssociatedRoles" in changed else []:
            of = {"FeatureName": one["FeatureName"]} if one.get("FeatureName") else {}
            rds.remove_role_from_db_cluster(DBClusterIdentifier=it.id, RoleArn=one["RoleArn"], **of)

    def delete(self, rds: Any, it: Item) -> None:
        """DeleteDBCluster; accepted again while it is going."""
        doc = self.read(rds, it)
        if meets_going(doc):
            return
        ending = {key: it.props[key] for key in _AT_THE_END if it.props.get(key)}
        try:
            rds.delete_db_cluster(DBClusterIdentifier=it.id, **(ending or {"SkipFinalSnapshot": True}))
        except ClientError as error:
            if doc is None or code_of(error) != _SNAPSHOT_TAKEN:
                raise
            # A cluster of this stack has ended with it before: this one's own name is beside it.
            own = f"{ending['FinalDBSnapshotIdentifier']}-{doc['DbClusterResourceId'][-_TAIL:].lower()}"
            rds.delete_db_cluster(DBClusterIdentifier=it.id, **{**ending, "FinalDBSnapshotIdentifier": own})

    def extras(self, rds: Any, it: Item, doc: Doc, inside: Inside) -> list[Extra]:
        """The members that are told with the cluster, besides ours."""
        ours = inside.values("DBInstanceIdentifier")
        names = (one["DBInstanceIdentifier"] for one in doc.get("DBClusterMembers", []))
        stays = "it serves the same data; delete it before a teardown, which waits for it"
        return [Extra(f"instance {name}", {}, stays) for name in names if name not in ours]

    def last_will(self, kept: Doc, declared: Doc) -> Doc:
        """A last snapshot is taken where it was wanted then or is wanted now."""
        wants = declared if declared.get("SkipFinalSnapshot") is False else kept
        return {key: wants[key] for key in _AT_THE_END if key in wants}

    def lost(self, props: Doc) -> str:
        """Its data and its automated backups, unless a last snapshot is taken."""
        name = f"the database {props['DBClusterIdentifier']} and its automated backups"
        kept = props.get("FinalDBSnapshotIdentifier")
        return f"{name}; its data stay in the snapshot {kept}" if kept else f"{name}, with no last snapshot"


def meets_going(doc: Doc | None) -> bool:
    """Whether a cluster or instance is on its way out already."""
    return bool(doc) and "deleting" in ((doc or {}).get("Status"), (doc or {}).get("DBInstanceStatus"))


def _as_asked(doc: Doc) -> Doc:
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
