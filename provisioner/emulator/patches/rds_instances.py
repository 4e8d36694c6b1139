"""Aurora instances: values that come from their cluster, and members that moto does not return."""

from __future__ import annotations

import secrets
import string
from typing import Any

from provisioner.emulator.errors import AwsError, Reply
from provisioner.emulator.hooks import always
from provisioner.emulator.moto_bridge import ask_moto
from provisioner.emulator.patches.rds_clusters import clusters, instances
from provisioner.emulator.wire import Call

# Members that moto drops, and the attributes of its instance that its replies are made from.
ECHOED = {
    "EnablePerformanceInsights": "performance_insights_enabled",
    "PerformanceInsightsRetentionPeriod": "performance_insights_retention_period",
    "PerformanceInsightsKMSKeyId": "performance_insights_kms_key_id",
    "DatabaseInsightsMode": "database_insights_mode",
    "CACertificateIdentifier": "ca_certificate_identifier",
}


@always.before("rds", "CreateDBInstance")
def create_instance(call: Call) -> Reply | None:
    """Create an instance; its cluster must exist, and gives it version, subnet group and port."""
    params = call.params
    name = params["DBInstanceIdentifier"].lower()
    if name in instances(call):
        raise AwsError("DBInstanceAlreadyExists", "DB instance already exists")
    cluster_name = params.get("DBClusterIdentifier", "").lower()
    if cluster_name and cluster_name not in clusters(call):
        raise AwsError("DBClusterNotFoundFault", f"DBCluster {cluster_name} not found.", 404)
    request = params | {"DBInstanceIdentifier": name}
    if cluster_name:
        request["DBClusterIdentifier"] = cluster_name
        request.pop("EngineVersion", None)  # the cluster has it
    ask_moto(call, "rds", "CreateDBInstance", **request)
    instance = instances(call)[name]
    instance.dbi_resource_id = "db-" + "".join(
        secrets.choice(string.ascii_uppercase + string.digits) for _ in range(26)
    )
    instance.performance_insights_enabled = False
    if cluster_name:
        # An instance takes the subnet group and port of its cluster: AWS doc, API_CreateDBInstance.
        cluster = clusters(call)[cluster_name]
        if cluster.db_subnet_group_name != "default":
            instance.db_subnet_group_name = cluster.db_subnet_group_name
        instance.port = cluster.port
        instance.deletion_protection = False
    _keep_sent_members(instance, params)
    return _instance(call, name, DBInstanceStatus="creating")


@always.before("rds", "ModifyDBInstance")
def modify_instance(call: Call) -> Reply | None:
    """Modify an instance, and keep the members that moto drops."""
    name = call.params["DBInstanceIdentifier"].lower()
    if name not in instances(call):
        raise AwsError("DBInstanceNotFound", f"DBInstance {name} not found.", 404)
    _check_monitoring(call.params)
    _keep_sent_members(instances(call)[name], call.params)
    ask_moto(call, "rds", "ModifyDBInstance", **call.params | {"DBInstanceIdentifier": name})
    return _instance(call, call.params.get("NewDBInstanceIdentifier", name))


def _check_monitoring(params: dict[str, Any]) -> None:
    """Require a monitoring interval and a monitoring role together in one call, or neither.

    Source: botocore ServiceModel, MonitoringInterval, MonitoringRoleArn.
    """
    if bool(params.get("MonitoringInterval")) != bool(params.get("MonitoringRoleArn")):
        message = "You must specify a MonitoringRoleARN and a MonitoringInterval other than 0 together."
        raise AwsError("InvalidParameterCombination", message)


def _keep_sent_members(instance: Any, params: dict[str, Any]) -> None:
    """Set on moto's instance the members of a call that moto drops."""
    for sent, attribute in ECHOED.items():
        if sent in params:
            setattr(instance, attribute, params[sent])
    if instance.performance_insights_enabled:
        # The default is 7 days: botocore ServiceModel, PerformanceInsightsRetentionPeriod.
        days = getattr(instance, "performance_insights_retention_period", None)
        instance.performance_insights_retention_period = days or 7


def _instance(call: Call, name: str, **changed: str) -> Reply:
    """Describe an instance as a reply does, with some members changed."""
    description = ask_moto(call, "rds", "DescribeDBInstances", DBInstanceIdentifier=name)["DBInstances"][0]
    return {"DBInstance": description | changed}


@always.after("rds", "CreateDBInstance", "ModifyDBInstance", "DeleteDBInstance")
def complete_instance(call: Call, reply: Reply) -> None:
    """Set the members of the instance in the reply that come from its cluster."""
    _copy_from_cluster(call, reply["DBInstance"])


@always.after("rds", "DescribeDBInstances")
def complete_instances(call: Call, reply: Reply) -> None:
    """Set the members of the instances in the reply that come from their clusters."""
    for instance in reply["DBInstances"]:
        _copy_from_cluster(call, instance)


def _copy_from_cluster(call: Call, instance: dict[str, Any]) -> None:
    """Set the members of an instance that come from its cluster: IAM authentication, storage and KMS key."""
    cluster = clusters(call).get(instance.get("DBClusterIdentifier", ""))
    if cluster is not None:
        instance["IAMDatabaseAuthenticationEnabled"] = cluster.iam_database_authentication_enabled
        instance["StorageType"] = cluster.storage_type or "aurora"
        if cluster.kms_key_id:
            instance["KmsKeyId"] = cluster.kms_key_id
        else:
            instance.pop("KmsKeyId", None)
