"""The groups that an Aurora cluster needs: its subnet group and its parameter group."""

from __future__ import annotations

from typing import Any

from provisioner.engine.kind import ResourceSpec
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
    """A DB subnet group: the subnets that a database may be placed in."""

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

    def read(self, rds: Any, spec: ResourceSpec) -> Doc | None:
        """Read the group with DescribeDBSubnetGroups, its subnets in the form of the create call.

        If several groups are being read together, one call reads them all.
        """
        own = spec.props[self.named]
        several = len(rds.peers.together(own, "DBSubnetGroup", by="name", most=MOST)) > 1
        listed = rds.describe_db_subnet_groups()["DBSubnetGroups"] if several else []
        groups = [doc for doc in listed if doc["DBSubnetGroupName"] == own]
        groups = groups or rds.describe_db_subnet_groups(DBSubnetGroupName=own)["DBSubnetGroups"]
        if not groups:
            return None
        doc = groups[0]
        subnets = [subnet["SubnetIdentifier"] for subnet in doc["Subnets"]]
        return self.with_tags(rds, spec, {**doc, "SubnetIds": subnets})

    def create(self, rds: Any, spec: ResourceSpec) -> Doc:
        """Create the group with CreateDBSubnetGroup."""
        rds.create_db_subnet_group(**spec.props, Tags=pairs(spec.tags))
        return dict(spec.props)

    def update(self, rds: Any, spec: ResourceSpec, changed: Doc) -> None:
        """Replace the group's subnets and description with ModifyDBSubnetGroup."""
        rds.modify_db_subnet_group(**spec.props)

    def delete(self, rds: Any, spec: ResourceSpec) -> None:
        """Delete the group with DeleteDBSubnetGroup."""
        rds.delete_db_subnet_group(DBSubnetGroupName=spec.id)

    def holders(self, rds: Any, spec: ResourceSpec) -> list[Holder]:
        """Return the databases in the group, as blockers.

        AWS gives the group of a cluster as a name, and that of an instance as an object.
        """

        def stands(database: Doc) -> bool:
            group = database.get("DBSubnetGroup") or ""
            return spec.id == (group if isinstance(group, str) else group["DBSubnetGroupName"])

        return databases(rds, spec.suffix, stands)


class DBClusterParameterGroup(Rds):
    """A DB cluster parameter group; the parameters in it are a resource of their own."""

    key = named = "DBClusterParameterGroupName"
    members = DB_PARAMETER_GROUP
    noun, arn = "dbparams", "DBClusterParameterGroupArn"
    distinct = ("DBParameterGroupFamily",)
    absent = NO_PARAMETERS
    duplicate = codes("DBParameterGroupAlreadyExists")
    # The group stays in use for a while after its cluster is gone (terraform-provider-aws: 3 min).
    transient = {"create": NEW_ACCOUNT, "delete": codes("InvalidDBParameterGroupState")}
    resource, fills = "cluster-pg", ("{DBClusterParameterGroupName}",)
    calls = calling(
        read="DescribeDBClusterParameterGroups ListTagsForResource",
        create="CreateDBClusterParameterGroup",
        retag="AddTagsToResource RemoveTagsFromResource DescribeDBClusterParameterGroups ListTagsForResource",
        delete="DeleteDBClusterParameterGroup",
        holders=ASKED,
    )

    def read(self, rds: Any, spec: ResourceSpec) -> Doc | None:
        """Read the group with DescribeDBClusterParameterGroups.

        If several groups are being read together, one call reads them all.
        """
        own = spec.props[self.named]
        several = len(rds.peers.together(own, "DBClusterParameterGroup", by="name", most=MOST)) > 1
        all_ = rds.describe_db_cluster_parameter_groups() if several else {"DBClusterParameterGroups": []}
        found = [doc for doc in all_["DBClusterParameterGroups"] if doc[self.named] == own]
        if not found:
            told = rds.describe_db_cluster_parameter_groups(DBClusterParameterGroupName=own)
            found = told["DBClusterParameterGroups"]
        return self.with_tags(rds, spec, found[0]) if found else None

    def create(self, rds: Any, spec: ResourceSpec) -> Doc:
        """Create the group with CreateDBClusterParameterGroup."""
        rds.create_db_cluster_parameter_group(**spec.props, Tags=pairs(spec.tags))
        return dict(spec.props)

    def delete(self, rds: Any, spec: ResourceSpec) -> None:
        """Delete the group with DeleteDBClusterParameterGroup."""
        rds.delete_db_cluster_parameter_group(DBClusterParameterGroupName=spec.id)

    def holders(self, rds: Any, spec: ResourceSpec) -> list[Holder]:
        """Return the clusters that use the group."""
        return databases(rds, spec.suffix, lambda one: one.get("DBClusterParameterGroup") == spec.id)


class DBClusterParameters(Setting):
    """The parameters of a group that differ from AWS's defaults; at most 20, AWS's limit for one call."""

    service, key = "rds", "DBClusterParameterGroupName"
    members = DB_PARAMETERS
    absent = NO_PARAMETERS
    resource, fills = "cluster-pg", ("{DBClusterParameterGroupName}",)
    calls = calling(
        read="DescribeDBClusterParameters",
        create="ModifyDBClusterParameterGroup",
        update="ModifyDBClusterParameterGroup",
    )

    def read(self, rds: Any, spec: ResourceSpec) -> Doc | None:
        """Read the parameters that were set by a user, with DescribeDBClusterParameters."""
        name = spec.props[self.key]
        set_ = rds.describe_db_cluster_parameters(DBClusterParameterGroupName=name, Source="user")
        values = {one["ParameterName"]: one.get("ParameterValue") for one in set_["Parameters"]}
        return {"DBClusterParameterGroupName": name, "Parameters": values}

    def put(self, rds: Any, props: Doc) -> None:
        """Set the parameters with ModifyDBClusterParameterGroup."""
        # `pending-reboot` is valid for static and dynamic parameters; a new cluster starts with these values.
        listed = [
            {"ParameterName": name, "ParameterValue": value, "ApplyMethod": "pending-reboot"}
            for name, value in props["Parameters"].items()
        ]
        rds.modify_db_cluster_parameter_group(DBClusterParameterGroupName=props[self.key], Parameters=listed)
