"""The groups that an Aurora cluster needs: its subnet group and its parameter group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.blocker import Blocker
from provisioner.engine.types.charges import FREE
from provisioner.engine.types.data import codes, declare_operations, minutes
from provisioner.engine.types.health_status import StatusClasses, in_lower_case
from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.resources.field_owners.databases_and_keys import DB_PARAMETER_GROUP, DB_PARAMETERS, DB_SUBNETS
from provisioner.resources.rds.base import (
    BLOCKER_OPERATIONS,
    MAX_FILTER_VALUES,
    PARAMETER_GROUP_NOT_FOUND,
    SERVICE_ROLE_NOT_VISIBLE_YET,
    SUBNET_GROUP_NOT_FOUND,
    RdsResourceType,
    databases_using,
)
from provisioner.resources.subresource import SubresourceType
from provisioner.resources.tags import pairs
from provisioner.service_clients import RDS

if TYPE_CHECKING:
    from types_boto3_rds.type_defs import ParameterTypeDef


class DBSubnetGroup(RdsResourceType):
    """A DB subnet group: the subnets that a database may be placed in."""

    deleted_at_reply = True
    id_paths = name_property = "DBSubnetGroupName"
    pricing = FREE
    ownership = DB_SUBNETS
    noun, arn = "dbsubnets", "DBSubnetGroupArn"
    immutable = frozenset({"DBSubnetGroupName"})
    # RDS API reference, DBSubnetGroup
    status_classes = (StatusClasses("SubnetGroupStatus", in_lower_case("Complete"), when_missing="healthy"),)
    not_found_codes = SUBNET_GROUP_NOT_FOUND
    already_exists_codes = codes("DBSubnetGroupAlreadyExists")
    retryable_codes = {
        "create": SERVICE_ROLE_NOT_VISIBLE_YET | codes("InvalidSubnet"),
        "delete": codes("InvalidDBSubnetGroupStateFault"),
    }
    timeout = minutes(20)
    iam_type, arn_properties = "subgrp", ("{DBSubnetGroupName}",)
    operations = declare_operations(
        read="DescribeDBSubnetGroups ListTagsForResource",
        create="CreateDBSubnetGroup",
        update="ModifyDBSubnetGroup",
        retag="AddTagsToResource RemoveTagsFromResource DescribeDBSubnetGroups ListTagsForResource",
        delete="DeleteDBSubnetGroup",
        blockers=BLOCKER_OPERATIONS,
    )

    def read(self, rds: RDS, spec: ResourceSpec) -> JsonObject | None:
        """Read the group with DescribeDBSubnetGroups, its subnets in the form of the create call.

        If several groups are being read together, one call reads them all.
        """
        name = spec.props[self.name_property]
        several = len(rds.batch_scope.batch(name, "DBSubnetGroup", by="name", most=MAX_FILTER_VALUES)) > 1
        listed = rds.describe_db_subnet_groups()["DBSubnetGroups"] if several else []
        groups = [actual for actual in listed if actual["DBSubnetGroupName"] == name]
        groups = groups or rds.describe_db_subnet_groups(DBSubnetGroupName=name)["DBSubnetGroups"]
        if not groups:
            return None
        actual = groups[0]
        subnets = [subnet["SubnetIdentifier"] for subnet in actual["Subnets"]]
        return self.with_tags(rds, spec, {**actual, "SubnetIds": subnets})

    def create(self, rds: RDS, spec: ResourceSpec) -> JsonObject:
        """Create the group with CreateDBSubnetGroup."""
        rds.create_db_subnet_group(**spec.props, Tags=pairs(spec.tags))
        return dict(spec.props)

    def update(self, rds: RDS, spec: ResourceSpec, changed: JsonObject) -> None:
        """Replace the group's subnets and description with ModifyDBSubnetGroup."""
        rds.modify_db_subnet_group(**spec.props)

    def delete(self, rds: RDS, spec: ResourceSpec) -> None:
        """Delete the group with DeleteDBSubnetGroup."""
        rds.delete_db_subnet_group(DBSubnetGroupName=spec.id)

    def blockers(self, rds: RDS, spec: ResourceSpec) -> list[Blocker]:
        """Return the databases in the group, as blockers.

        AWS gives the group of a cluster as a name, and that of an instance as an object.
        """

        def is_in_group(database: JsonObject) -> bool:
            group = database.get("DBSubnetGroup") or ""
            return spec.id == (group if isinstance(group, str) else group["DBSubnetGroupName"])

        return databases_using(rds, spec.suffix, is_in_group)


class DBClusterParameterGroup(RdsResourceType):
    """A DB cluster parameter group; the parameters in it are a resource of their own."""

    deleted_at_reply = True
    id_paths = name_property = "DBClusterParameterGroupName"
    pricing = FREE
    ownership = DB_PARAMETER_GROUP
    noun, arn = "dbparams", "DBClusterParameterGroupArn"
    discriminators = ("DBParameterGroupFamily",)
    not_found_codes = PARAMETER_GROUP_NOT_FOUND
    already_exists_codes = codes("DBParameterGroupAlreadyExists")
    # The group stays in use for a while after its cluster is gone (terraform-provider-aws: 3 min).
    retryable_codes = {"create": SERVICE_ROLE_NOT_VISIBLE_YET, "delete": codes("InvalidDBParameterGroupState")}
    iam_type, arn_properties = "cluster-pg", ("{DBClusterParameterGroupName}",)
    operations = declare_operations(
        read="DescribeDBClusterParameterGroups ListTagsForResource",
        create="CreateDBClusterParameterGroup",
        retag="AddTagsToResource RemoveTagsFromResource DescribeDBClusterParameterGroups ListTagsForResource",
        delete="DeleteDBClusterParameterGroup",
        blockers=BLOCKER_OPERATIONS,
    )

    def read(self, rds: RDS, spec: ResourceSpec) -> JsonObject | None:
        """Read the group with DescribeDBClusterParameterGroups.

        If several groups are being read together, one call reads them all.
        """
        name = spec.props[self.name_property]
        several = len(rds.batch_scope.batch(name, "DBClusterParameterGroup", by="name", most=MAX_FILTER_VALUES)) > 1
        listed = rds.describe_db_cluster_parameter_groups()["DBClusterParameterGroups"] if several else []
        groups = [actual for actual in listed if actual["DBClusterParameterGroupName"] == name]
        if not groups:
            reply = rds.describe_db_cluster_parameter_groups(DBClusterParameterGroupName=name)
            groups = reply["DBClusterParameterGroups"]
        return self.with_tags(rds, spec, groups[0]) if groups else None

    def create(self, rds: RDS, spec: ResourceSpec) -> JsonObject:
        """Create the group with CreateDBClusterParameterGroup."""
        rds.create_db_cluster_parameter_group(**spec.props, Tags=pairs(spec.tags))
        return dict(spec.props)

    def delete(self, rds: RDS, spec: ResourceSpec) -> None:
        """Delete the group with DeleteDBClusterParameterGroup."""
        rds.delete_db_cluster_parameter_group(DBClusterParameterGroupName=spec.id)

    def blockers(self, rds: RDS, spec: ResourceSpec) -> list[Blocker]:
        """Return the clusters that use the group."""
        return databases_using(rds, spec.suffix, lambda database: database.get("DBClusterParameterGroup") == spec.id)


class DBClusterParameters(SubresourceType):
    """The parameters of a group that differ from AWS's defaults; at most 20, AWS's limit for one call."""

    service, id_paths = "rds", "DBClusterParameterGroupName"
    ownership = DB_PARAMETERS
    not_found_codes = PARAMETER_GROUP_NOT_FOUND
    iam_type, arn_properties = "cluster-pg", ("{DBClusterParameterGroupName}",)
    operations = declare_operations(
        read="DescribeDBClusterParameters",
        create="ModifyDBClusterParameterGroup",
        update="ModifyDBClusterParameterGroup",
    )

    def read(self, rds: RDS, spec: ResourceSpec) -> JsonObject | None:
        """Read the parameters that were set by a user, with DescribeDBClusterParameters."""
        name = spec.props[self.id_paths]
        reply = rds.describe_db_cluster_parameters(DBClusterParameterGroupName=name, Source="user")
        values = {parameter["ParameterName"]: parameter.get("ParameterValue") for parameter in reply["Parameters"]}
        return {"DBClusterParameterGroupName": name, "Parameters": values}

    def apply(self, rds: RDS, props: JsonObject) -> None:
        """Set the parameters with ModifyDBClusterParameterGroup."""
        # `pending-reboot` is valid for static and dynamic parameters; a new cluster starts with these values.
        parameters: list[ParameterTypeDef] = [
            {"ParameterName": name, "ParameterValue": value, "ApplyMethod": "pending-reboot"}
            for name, value in props["Parameters"].items()
        ]
        rds.modify_db_cluster_parameter_group(DBClusterParameterGroupName=props[self.id_paths], Parameters=parameters)
