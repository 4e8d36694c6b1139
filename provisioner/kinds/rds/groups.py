"""The groups that a cluster stands on: its subnets, and its parameters."""

from __future__ import annotations

from typing import Any

from provisioner.engine.kind import Item
from provisioner.engine.refs import Doc
from provisioner.engine.refused import Holder
from provisioner.engine.states import States, words
from provisioner.engine.traits import calling, codes, minutes
from provisioner.kinds.members.data import DB_PARAMETER_GROUP, DB_PARAMETERS, DB_SUBNETS
from provisioner.kinds.rds.tagged import MOST, NEW_ACCOUNT, NO_PARAMETERS, NO_SUBNETS, Rds
from provisioner.kinds.rds.users import ASKED, databases
from provisioner.kinds.setting import Setting
from provisioner.kinds.tags import pairs


class DBSubnetGroup(Rds):
    """The subnets that a database may stand in."""

    key = named = "DBSubnetGroupName"
    members = DB_SUBNETS
    noun, arn = "dbsubnets", "DBSubnetGroupArn"
    fixed = frozenset({"DBSubnetGroupName"})
    # RDS API reference, DBSubnetGroup
    states = (States("SubnetGroupStatus", words("Complete"), untold="healthy"),)
    absent = NO_SUBNETS
    duplicate = codes("DBSubnetGroupAlreadyExists")
    transient = {
        "create": NEW_ACCOUNT | codes("InvalidSubnet"),
        "delete": codes("InvalidDBSubnetGroupStateFault"),
    }
    patience = minutes(20)
    resource, fills = "subgrp", ("{DBSubnetGroupName}",)
    calls = calling(
        read="DescribeDBSubnetGroups ListTagsForResource",
        create="CreateDBSubnetGroup",
        update="ModifyDBSubnetGroup",
        retag="AddTagsToResource RemoveTagsFromResource DescribeDBSubnetGroups ListTagsForResource",
        delete="DeleteDBSubnetGroup",
        holders=ASKED,
    )

    def read(self, rds: Any, it: Item) -> Doc | None:
        """DescribeDBSubnetGroups; its subnets as the create call takes them."""
        own = it.props[self.named]
        several = len(rds.peers.together(own, "DBSubnetGroup", by="name", most=MOST)) > 1
        listed = rds.describe_db_subnet_groups()["DBSubnetGroups"] if several else []
        groups = [doc for doc in listed if doc["DBSubnetGroupName"] == own]
        groups = groups or rds.describe_db_subnet_groups(DBSubnetGroupName=own)["DBSubnetGroups"]
        if not groups:
            return None
        doc = groups[0]
        subnets = [subnet["SubnetIdentifier"] for subnet in doc["Subnets"]]
        return self.with_tags(rds, it, {**doc, "SubnetIds": subnets})

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

    def holders(self, rds: Any, it: Item) -> list[Holder]:
        """The databases that stand in it; an instance tells the group whole, a cluster by its name."""

        def stands(database: Doc) -> bool:
            group = database.get("DBSubnetGroup") or ""
            return it.id == (group if isinstance(group, str) else group["DBSubnetGroupName"])

        return databases(rds, it.suffix, stands)


class DBClusterParameterGroup(Rds):
    """A set of database parameters; what is in it is a resource of its own."""

    key = named = "DBClusterParameterGroupName"
    members = DB_PARAMETER_GROUP
    noun, arn = "dbparams", "DBClusterParameterGroupArn"
    distinct = ("DBParameterGroupFamily",)
    absent = NO_PARAMETERS
    duplicate = codes("DBParameterGroupAlreadyExists")
    # In use for a while after its cluster is gone (terraform-provider-aws: 3 min).
    transient = {"create": NEW_ACCOUNT, "delete": codes("InvalidDBParameterGroupState")}
    resource, fills = "cluster-pg", ("{DBClusterParameterGroupName}",)
    calls = calling(
        read="DescribeDBClusterParameterGroups ListTagsForResource",
        create="CreateDBClusterParameterGroup",
        retag="AddTagsToResource RemoveTagsFromResource DescribeDBClusterParameterGroups ListTagsForResource",
        delete="DeleteDBClusterParameterGroup",
        holders=ASKED,
    )

    def read(self, rds: Any, it: Item) -> Doc | None:
        """DescribeDBClusterParameterGroups."""
        own = it.props[self.named]
        several = len(rds.peers.together(own, "DBClusterParameterGroup", by="name", most=MOST)) > 1
        all_ = rds.describe_db_cluster_parameter_groups() if several else {"DBClusterParameterGroups": []}
        found = [doc for doc in all_["DBClusterParameterGroups"] if doc[self.named] == own]
        if not found:
            told = rds.describe_db_cluster_parameter_groups(DBClusterParameterGroupName=own)
            found = told["DBClusterParameterGroups"]
        return self.with_tags(rds, it, found[0]) if found else None

    def create(self, rds: Any, it: Item) -> Doc:
        """CreateDBClusterParameterGroup."""
        rds.create_db_cluster_parameter_group(**it.props, Tags=pairs(it.tags))
        return dict(it.props)

    def delete(self, rds: Any, it: Item) -> None:
        """DeleteDBClusterParameterGroup."""
        rds.delete_db_cluster_parameter_group(DBClusterParameterGroupName=it.id)

    def holders(self, rds: Any, it: Item) -> list[Holder]:
        """The clusters that are run by it."""
        return databases(rds, it.suffix, lambda one: one.get("DBClusterParameterGroup") == it.id)


class DBClusterParameters(Setting):
    """The values in a parameter group that are not AWS's own; at most 20, AWS's limit for one call."""

    service, key = "rds", "DBClusterParameterGroupName"
    members = DB_PARAMETERS
    absent = NO_PARAMETERS
    resource, fills = "cluster-pg", ("{DBClusterParameterGroupName}",)
    calls = calling(
        read="DescribeDBClusterParameters",
        create="ModifyDBClusterParameterGroup",
        update="ModifyDBClusterParameterGroup",
    )

    def read(self, rds: Any, it: Item) -> Doc | None:
        """DescribeDBClusterParameters, those that somebody set."""
        name = it.props[self.key]
        set_ = rds.describe_db_cluster_parameters(DBClusterParameterGroupName=name, Source="user")
        values = {one["ParameterName"]: one.get("ParameterValue") for one in set_["Parameters"]}
        return {"DBClusterParameterGroupName": name, "Parameters": values}

    def put(self, rds: Any, props: Doc) -> None:
        """ModifyDBClusterParameterGroup."""
        # `pending-reboot` is right for static and dynamic ones alike; a new cluster starts with them.
        listed = [
            {"ParameterName": name, "ParameterValue": value, "ApplyMethod": "pending-reboot"}
            for name, value in props["Parameters"].items()
        ]
        rds.modify_db_cluster_parameter_group(DBClusterParameterGroupName=props[self.key], Parameters=listed)
