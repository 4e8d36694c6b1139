"""RDS: Aurora's subnet group, parameter group, cluster and instances."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from provisioner.engine.kind import Item, Kind, codes, minutes
from provisioner.engine.refs import Doc
from provisioner.kinds.tags import mapping, pairs

NO_CLUSTER = codes("DBClusterNotFoundFault")
NO_PARAMETERS = codes("DBParameterGroupNotFound", "DBClusterParameterGroupNotFound")
NO_SUBNETS = codes("DBSubnetGroupNotFoundFault")
# The first use of RDS in an account races the making of its service-linked role
# (terraform-aws-modules/terraform-aws-rds#364).
_NEW_ACCOUNT = codes(
    "InvalidParameterValue: service linked role",
    "InvalidParameterValue: missing necessary credentials",
    "InvalidParameterValue: iam role arn value is invalid",
)


class _Rds(Kind):
    """What is tagged by its ARN."""

    service = "rds"
    arn: str

    def retag(self, rds: Any, it: Item, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """AddTagsToResource, RemoveTagsFromResource."""
        arn = (self.read(rds, it) or {})[self.arn]
        if put:
            rds.add_tags_to_resource(ResourceName=arn, Tags=pairs(put))
        if gone := list(drop):
            rds.remove_tags_from_resource(ResourceName=arn, TagKeys=gone)


class DBSubnetGroup(_Rds):
    """The subnets that a database may stand in."""

    key = named = "DBSubnetGroupName"
    noun, arn = "dbsubnets", "DBSubnetGroupArn"
    fixed = frozenset({"DBSubnetGroupName"})
    absent = NO_SUBNETS
    duplicate = codes("DBSubnetGroupAlreadyExists")
    transient = {
        "create": _NEW_ACCOUNT | codes("InvalidSubnet"),
        "delete": codes("InvalidDBSubnetGroupStateFault"),
    }
    patience = minutes(20)

    def read(self, rds: Any, it: Item) -> Doc | None:
        """DescribeDBSubnetGroups; its subnets as the create call takes them."""
        groups = rds.describe_db_subnet_groups(DBSubnetGroupName=it.props[self.named])["DBSubnetGroups"]
        if not groups:
            return None
        doc = groups[0]
        tags = rds.list_tags_for_resource(ResourceName=doc["DBSubnetGroupArn"])["TagList"]
        subnets = [subnet["SubnetIdentifier"] for subnet in doc["Subnets"]]
        return {**doc, "SubnetIds": subnets, "Tags": mapping(tags)}

    def create(self, rds: Any, it: Item) -> Doc:
        """CreateDBSubnetGroup."""
        rds.create_db_subnet_group(**it.props, Tags=pairs(it.tags))
        return dict(it.props)

    def update(self, rds: Any, it: Item, changed: Doc) -> None:
        """ModifyDBSubnetGroup."""
        rds.modify_db_subnet_group(**it.props)

    def delete(self, rds: Any, it: Item) -> None:
        """DeleteDBSubnetGroup."""
        rds.delete_db_subnet_group(DBSubnetGroupName=it.id)


class DBClusterParameterGroup(_Rds):
    """A set of database parameters; what is in it is a resource of its own."""

    key = named = "DBClusterParameterGroupName"
    noun, arn = "dbparams", "DBClusterParameterGroupArn"
    distinct = ("DBParameterGroupFamily",)
    absent = NO_PARAMETERS
    duplicate = codes("DBParameterGroupAlreadyExists")
    # In use for a while after its cluster is gone (terraform-provider-aws: 3 min).
    transient = {"create": _NEW_ACCOUNT, "delete": codes("InvalidDBParameterGroupState")}

    def read(self, rds: Any, it: Item) -> Doc | None:
        """DescribeDBClusterParameterGroups."""
        name = it.props[self.named]
        groups = rds.describe_db_cluster_parameter_groups(DBClusterParameterGroupName=name)
        found = groups["DBClusterParameterGroups"]
        if not found:
            return None
        tags = rds.list_tags_for_resource(ResourceName=found[0]["DBClusterParameterGroupArn"])["TagList"]
        return {**found[0], "Tags": mapping(tags)}

    def create(self, rds: Any, it: Item) -> Doc:
        """CreateDBClusterParameterGroup."""
        rds.create_db_cluster_parameter_group(**it.props, Tags=pairs(it.tags))
        return dict(it.props)

    def delete(self, rds: Any, it: Item) -> None:
        """DeleteDBClusterParameterGroup."""
        rds.delete_db_cluster_parameter_group(DBClusterParameterGroupName=it.id)


class DBClusterParameters(Kind):
    """The values in a parameter group that are not AWS's own; at most 20, AWS's limit for one call."""

    service, key = "rds", "DBClusterParameterGroupName"
    tagged, vanishes = False, True
    within = ("DBClusterParameterGroupName",)
    fixed = frozenset({"DBClusterParameterGroupName"})
    absent = NO_PARAMETERS

    def read(self, rds: Any, it: Item) -> Doc | None:
        """DescribeDBClusterParameters, those that somebody set."""
        name = it.props[self.key]
        set_ = rds.describe_db_cluster_parameters(DBClusterParameterGroupName=name, Source="user")
        values = {one["ParameterName"]: one.get("ParameterValue") for one in set_["Parameters"]}
        return {"DBClusterParameterGroupName": name, "Parameters": values}

    def create(self, rds: Any, it: Item) -> Doc:
        """ModifyDBClusterParameterGroup."""
        self._put(rds, it.props, it.props["Parameters"])
        return dict(it.props)

    def update(self, rds: Any, it: Item, changed: Doc) -> None:
        """ModifyDBClusterParameterGroup."""
        self._put(rds, it.props, it.props["Parameters"])

    def _put(self, rds: Any, props: Doc, values: Mapping[str, str]) -> None:
        # `pending-reboot` is right for static and dynamic ones alike; a new cluster starts with them.
        listed = [
            {"ParameterName": name, "ParameterValue": value, "ApplyMethod": "pending-reboot"}
            for name, value in values.items()
        ]
        rds.modify_db_cluster_parameter_group(DBClusterParameterGroupName=props[self.key], Parameters=listed)

    def delete(self, rds: Any, it: Item) -> None:
        """It goes with its group."""


class DBCluster(_Rds):
    """An Aurora cluster: storage, endpoints and the master's password; instances stand in it."""

    key = named = "DBClusterIdentifier"
    noun, arn = "aurora", "DBClusterArn"
    ready, going = {"Status": "available"}, {"Status": "deleting"}
    failed = {"Status": frozenset({"failed", "inaccessible-encryption-credentials"})}
    fixed = frozenset(
        {"DBClusterIdentifier", "Engine", "DatabaseName", "MasterUsername", "DBSubnetGroupName"}
        | {"StorageEncrypted", "KmsKeyId"}
    )
    # How it is to be deleted is not told by AWS; the password is told by nobody.
    unread = frozenset({"SkipFinalSnapshot", "FinalDBSnapshotIdentifier", "MasterUserPassword"})
    holds_data = True
    absent = NO_CLUSTER
    duplicate = codes("DBClusterAlreadyExistsFault")
    transient = {
        "create": _NEW_ACCOUNT | NO_SUBNETS | NO_PARAMETERS,
        "update": codes("InvalidDBClusterStateFault"),
        "delete": codes("InvalidDBClusterStateFault"),
    }
    # Cluster alone 1 to 2 min; provider ceiling 120 min. After a modify the status may still read
    # `available` for 30 s (terraform-provider-aws rds/cluster.go).
    takes, takes_to_go, patience, stale_for = 90, 300, minutes(120), 30

    def read(self, rds: Any, it: Item) -> Doc | None:
        """DescribeDBClusters, in the names that the create call uses."""
        found = rds.describe_db_clusters(DBClusterIdentifier=it.props[self.named])["DBClusters"]
        return _as_asked(found[0]) if found else None

    def create(self, rds: Any, it: Item) -> Doc:
        """CreateDBCluster."""
        asked = {key: value for key, value in it.props.items() if key not in _AT_THE_END}
        return _as_asked(rds.create_db_cluster(**asked, Tags=pairs(it.tags))["DBCluster"])

    def update(self, rds: Any, it: Item, changed: Doc) -> None:
        """ModifyDBCluster, at once and not in the maintenance window."""
        asked = {key: value for key, value in changed.items() if key not in _AT_THE_END}
        if "EnableCloudwatchLogsExports" in asked:
            asked["CloudwatchLogsExportConfiguration"] = {
                "EnableLogTypes": asked.pop("EnableCloudwatchLogsExports")
            }
        if asked:
            rds.modify_db_cluster(DBClusterIdentifier=it.id, ApplyImmediately=True, **asked)

    def delete(self, rds: Any, it: Item) -> None:
        """DeleteDBCluster; accepted again while it is going."""
        if meets_going(self.read(rds, it)):
            return
        ending = {key: it.props[key] for key in _AT_THE_END if it.props.get(key)}
        rds.delete_db_cluster(DBClusterIdentifier=it.id, **(ending or {"SkipFinalSnapshot": True}))

    def canonical(self, doc: Doc) -> Doc:
        """AWS upgrades minor versions: only the major one is compared. Identifiers are lower case."""
        major = str(doc.get("EngineVersion", "")).split(".", 1)[0]
        return {**doc, "EngineVersion": major}


_AT_THE_END = ("SkipFinalSnapshot", "FinalDBSnapshotIdentifier")


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
        "Tags": mapping(doc.get("TagList", [])),
    }


class DBInstance(_Rds):
    """One instance of an Aurora cluster."""

    key = named = "DBInstanceIdentifier"
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
    fixed = frozenset({"DBInstanceIdentifier", "DBClusterIdentifier", "Engine"})
    absent = codes("DBInstanceNotFound")
    duplicate = codes("DBInstanceAlreadyExists")
    transient = {
        # The cluster is still creating: the refusal is the wait.
        "create": _NEW_ACCOUNT | NO_CLUSTER | codes("InvalidDBClusterStateFault"),
        "update": codes("InvalidDBInstanceState"),
        "delete": codes("InvalidDBInstanceState", "InvalidDBClusterStateFault"),
    }
    # 5 to 10 min typical; provider ceiling 90 min.
    takes, takes_to_go, patience, stale_for = 420, 300, minutes(90), 30

    def read(self, rds: Any, it: Item) -> Doc | None:
        """DescribeDBInstances."""
        found = rds.describe_db_instances(DBInstanceIdentifier=it.props[self.named])["DBInstances"]
        return {**found[0], "Tags": mapping(found[0].get("TagList", []))} if found else None

    def create(self, rds: Any, it: Item) -> Doc:
        """CreateDBInstance; subnets and groups are its cluster's."""
        return dict(rds.create_db_instance(**it.props, Tags=pairs(it.tags))["DBInstance"])

    def update(self, rds: Any, it: Item, changed: Doc) -> None:
        """ModifyDBInstance, at once and not in the maintenance window."""
        rds.modify_db_instance(DBInstanceIdentifier=it.id, ApplyImmediately=True, **changed)

    def delete(self, rds: Any, it: Item) -> None:
        """DeleteDBInstance; accepted again while it is going. The snapshot is its cluster's matter."""
        if not meets_going(self.read(rds, it)):
            rds.delete_db_instance(DBInstanceIdentifier=it.id, SkipFinalSnapshot=True)
