"""Aurora: clusters and instances take minutes to create, change and delete, and refuse calls in between."""

from __future__ import annotations

from functools import partial
from typing import Any

from provisioner.emulator.account_store import AccountStore
from provisioner.emulator.behaviours.interfaces import (
    InterfaceOwner,
    create_interface,
    delete_interfaces_later,
    interfaces_with_description,
    set_groups,
)
from provisioner.emulator.clock import clock
from provisioner.emulator.errors import Answered, AwsError, Reply
from provisioner.emulator.hooks import behaviours
from provisioner.emulator.moto_bridge import ask_moto, backend
from provisioner.emulator.patches.rds_clusters import clusters, delete_automatic_snapshots, instances
from provisioner.emulator.wire import AccountRegion, Call

# Seconds: AWS re:Post and go-to-k/cdkd rds-provider.ts (5 to 30 minutes for a delete, overall).
CLUSTER, INSTANCE, MODIFY, INSTANCE_DELETE, CLUSTER_DELETE = 90.0, 420.0, 30.0, 300.0, 300.0

cluster_states: AccountStore[str] = AccountStore()  # status by identifier, unless it is "available"
instance_states: AccountStore[str] = AccountStore()


def _name(call: Call, member: str) -> str:
    """Return the identifier in a parameter of the call, in lower case as RDS keeps it."""
    return str(call.params.get(member, "")).lower()


def _interface_description(name: str) -> str:
    """Return the description of an instance's network interface."""
    return f"RDSNetworkInterface {name}"


def _set_passing_status(shelf: AccountStore[str], place: AccountRegion, name: str, status: str, seconds: float) -> None:
    """Set a status that turns into "available" after `seconds`, unless another status replaces it before."""
    shelf.of(place)[name] = status

    def done() -> None:
        if shelf.of(place).get(name) == status:
            del shelf.of(place)[name]

    clock.later(seconds, done)


def _cluster_state(name: str) -> AwsError:
    """Return the error for a cluster that is not available."""
    message = f"DB Cluster {name} is not currently in the available state."
    return AwsError("InvalidDBClusterStateFault", message)


@behaviours.after("rds", "CreateDBCluster")
def create_cluster(call: Call, reply: Reply) -> None:
    """Start the creation of a cluster."""
    _set_passing_status(cluster_states, call.place, reply["DBCluster"]["DBClusterIdentifier"], "creating", CLUSTER)
    reply["DBCluster"]["Status"] = "creating"


@behaviours.before("rds", "ModifyDBCluster")
def may_modify_cluster(call: Call) -> None:
    """Refuse to modify an unavailable cluster: terraform-provider-aws rds/cluster.go retries on this."""
    name = _name(call, "DBClusterIdentifier")
    if name in cluster_states.of(call):
        raise _cluster_state(name)


@behaviours.after("rds", "ModifyDBCluster")
def modify_cluster(call: Call, reply: Reply) -> None:
    """Make the cluster "modifying" for a while; the reply does not show that yet (terraform-provider-aws).

    New security groups are set on the interfaces of its instances at once.
    """
    name = reply["DBCluster"]["DBClusterIdentifier"]
    _set_passing_status(cluster_states, call.place, name, "modifying", MODIFY)
    if groups := call.params.get("VpcSecurityGroupIds"):
        for instance in _members(call, name):
            set_groups(call, interfaces_with_description(call, _interface_description(instance)), groups)


def _members(call: Call | AccountRegion, cluster: str) -> list[str]:
    """Return the instances of a cluster."""
    every = backend("rds", call.account, call.region).databases
    return [name for name, i in every.items() if i.db_cluster_identifier == cluster]


@behaviours.before("rds", "DeleteDBCluster")
def delete_cluster(call: Call) -> None:
    """Start the deletion of a cluster, which ends after its instances have gone.

    A missing or protected cluster is left to moto.

    Raises:
        Answered: The deletion has started.
        AwsError: The cluster is not available, or an instance not being deleted, or the snapshot is wrong.

    """
    name = _name(call, "DBClusterIdentifier")
    cluster = clusters(call).get(name)
    if cluster is None or cluster.deletion_protection:
        return
    _check_final_snapshot(call)
    if name in cluster_states.of(call):
        raise _cluster_state(name)
    if any(instance_states.of(call).get(member) != "deleting" for member in _members(call, name)):
        message = "Cluster cannot be deleted, it still contains DB instances in non-deleting state."
        raise AwsError("InvalidDBClusterStateFault", message)
    description = ask_moto(call, "rds", "DescribeDBClusters", DBClusterIdentifier=name)["DBClusters"][0]
    cluster_states.of(call)[name] = description["Status"] = "deleting"
    clock.later(CLUSTER_DELETE, partial(_cluster_gone, call, name))
    raise Answered({"DBCluster": description})


def _check_final_snapshot(call: Call) -> None:
    """Refuse a deletion without a choice about a final snapshot, or with the name of an existing one."""
    if not call.params.get("SkipFinalSnapshot") and not call.params.get("FinalDBSnapshotIdentifier"):
        message = "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified."
        raise AwsError("InvalidParameterCombination", message)
    name = call.params.get("FinalDBSnapshotIdentifier")
    if name and name in backend("rds", call.account, call.region).cluster_snapshots:
        message = f"Cannot create the cluster snapshot because one with the identifier {name} already exists."
        raise AwsError("DBClusterSnapshotAlreadyExistsFault", message)


def _cluster_gone(call: Call, name: str) -> None:
    """Delete the cluster in moto, as soon as it has no instances."""
    if _members(call, name):  # their deletion takes longer
        clock.later(10, partial(_cluster_gone, call, name), at_least=0.05)
        return
    ask_moto(call, "rds", "DeleteDBCluster", **call.params | {"DBClusterIdentifier": name})
    cluster_states.of(call).pop(name, None)
    delete_automatic_snapshots(call, name)


@behaviours.after("rds", "DescribeDBClusters")
def cluster_status(call: Call, reply: Reply) -> None:
    """Put the emulated status of each cluster into the reply."""
    for cluster in reply["DBClusters"]:
        cluster["Status"] = cluster_states.of(call).get(cluster["DBClusterIdentifier"], cluster["Status"])


@behaviours.before("rds", "CreateDBInstance")
def may_create_instance(call: Call) -> None:
    """Refuse an instance in a cluster that is not available (botocore ServiceModel, CreateDBInstance)."""
    name = _name(call, "DBClusterIdentifier")
    if name in cluster_states.of(call) and cluster_states.of(call)[name] != "modifying":
        raise _cluster_state(name)


@behaviours.after("rds", "CreateDBInstance")
def create_instance(call: Call, reply: Reply) -> None:
    """Start the creation of an instance, with a network interface in a subnet of the subnet group."""
    name = reply["DBInstance"]["DBInstanceIdentifier"]
    _set_passing_status(instance_states, call.place, name, "creating", INSTANCE)
    reply["DBInstance"]["DBInstanceStatus"] = "creating"
    rds = backend("rds", call.account, call.region)
    cluster = clusters(call).get(_name(call, "DBClusterIdentifier"))
    group = rds.subnet_groups.get(getattr(cluster, "db_subnet_group_name", ""))
    if cluster is not None and group is not None:
        subnet = group.subnets[0]["SubnetIdentifier"]
        create_interface(
            call.place,
            subnet,
            cluster.vpc_security_group_ids,
            InterfaceOwner("amazon-rds", _interface_description(name)),
        )


@behaviours.before("rds", "ModifyDBInstance")
def may_modify_instance(call: Call) -> None:
    """Refuse to modify an instance that is not available."""
    name = _name(call, "DBInstanceIdentifier")
    if status := instance_states.of(call).get(name):
        message = f"Instance {name} is in state {status}: it must be available."
        raise AwsError("InvalidDBInstanceState", message)


@behaviours.after("rds", "ModifyDBInstance")
def modify_instance(call: Call, reply: Reply) -> None:
    """Make the instance "modifying" for a while."""
    _set_passing_status(instance_states, call.place, reply["DBInstance"]["DBInstanceIdentifier"], "modifying", MODIFY)


@behaviours.before("rds", "DeleteDBInstance")
def delete_instance(call: Call) -> None:
    """Start the deletion of an instance, once only: terraform-provider-aws rds/cluster_instance.go.

    Raises:
        Answered: The deletion has started.
        AwsError: The instance is already being deleted.

    """
    name = _name(call, "DBInstanceIdentifier")
    if name not in instances(call):
        return
    if instance_states.of(call).get(name) == "deleting":
        raise AwsError("InvalidDBInstanceState", f"Instance {name} is already being deleted.")
    description = ask_moto(call, "rds", "DescribeDBInstances", DBInstanceIdentifier=name)["DBInstances"][0]
    instance_states.of(call)[name] = description["DBInstanceStatus"] = "deleting"
    clock.later(INSTANCE_DELETE, partial(_instance_gone, call, name))
    raise Answered({"DBInstance": description})


def _instance_gone(call: Call, name: str) -> None:
    """Delete the instance in moto, and its network interface."""
    ask_moto(call, "rds", "DeleteDBInstance", DBInstanceIdentifier=name, SkipFinalSnapshot=True)
    delete_interfaces_later(call.place, interfaces_with_description(call, _interface_description(name)), 0)
    instance_states.of(call).pop(name, None)


@behaviours.after("rds", "DescribeDBInstances")
def instance_status(call: Call, reply: Reply) -> None:
    """Put the emulated status of each instance into the reply."""
    for instance in reply["DBInstances"]:
        status = instance_states.of(call).get(instance["DBInstanceIdentifier"])
        instance["DBInstanceStatus"] = status or instance["DBInstanceStatus"]


def _users(call: Call, member: str, name: str) -> list[Any]:
    """Return the clusters whose attribute `member` is `name`."""
    return [cluster for cluster in clusters(call).values() if getattr(cluster, member) == name]


@behaviours.before("rds", "DeleteDBSubnetGroup")
def subnet_group_in_use(call: Call) -> None:
    """Refuse to delete a cluster's subnet group: botocore ServiceModel, InvalidDBSubnetGroupStateFault."""
    name = _name(call, "DBSubnetGroupName")
    if users := _users(call, "db_subnet_group_name", name):
        message = (
            f"Cannot delete the subnet group '{name}' because at least one database cluster:"
            f" {users[0].db_cluster_identifier} is still using it."
        )
        raise AwsError("InvalidDBSubnetGroupStateFault", message)


@behaviours.before("rds", "DeleteDBClusterParameterGroup")
def parameter_group_in_use(call: Call) -> None:
    """Refuse to delete a cluster's parameter group: botocore ServiceModel, InvalidDBParameterGroupState."""
    if _users(call, "parameter_group", _name(call, "DBClusterParameterGroupName")):
        message = "One or more database clusters are still members of this parameter group, so the group"
        raise AwsError("InvalidDBParameterGroupState", f"{message} cannot be deleted.")
