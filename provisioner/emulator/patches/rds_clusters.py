"""Aurora clusters: no silent replacement, AWS's error codes, and replies with what was sent."""

from __future__ import annotations

from typing import Any
from uuid import NAMESPACE_URL, uuid5

from moto.rds.models import DomainMembership

from provisioner.emulator.errors import AwsError, Reply
from provisioner.emulator.hooks import always
from provisioner.emulator.moto_bridge import ask_moto, backend
from provisioner.emulator.patches.rds_versions import ENGINE, full_version, is_unsupported, next_supported
from provisioner.emulator.wire import Call


def clusters(call: Call) -> dict[str, Any]:
    """Return moto's clusters by identifier."""
    by_name: dict[str, Any] = backend("rds", call.account, call.region).clusters
    return by_name


def instances(call: Call) -> dict[str, Any]:
    """Return moto's instances by identifier."""
    by_name: dict[str, Any] = backend("rds", call.account, call.region).databases
    return by_name


@always.before("rds", "CreateDBCluster")
def create_cluster(call: Call) -> Reply | None:
    """Create a cluster: refuse what AWS refuses, and hide from moto the parameters that it fails on."""
    params = call.params
    name = params["DBClusterIdentifier"].lower()  # stored in lower case: botocore ServiceModel
    if name in clusters(call):
        raise AwsError("DBClusterAlreadyExistsFault", "DB Cluster already exists")
    _check_capacity(params.get("ServerlessV2ScalingConfiguration"))
    _check_groups(call)
    _check_support(params)
    request = {k: v for k, v in params.items() if k not in ("StorageType", "EngineVersion")}
    if params["Engine"] == ENGINE:
        request["EngineVersion"] = full_version(params.get("EngineVersion"))
    elif "EngineVersion" in params:
        request["EngineVersion"] = params["EngineVersion"]
    ask_moto(call, "rds", "CreateDBCluster", **request | {"DBClusterIdentifier": name})
    _complete(call, clusters(call)[name])
    return _cluster(call, name, Status="creating")


def _check_capacity(scaling: dict[str, float] | None) -> None:
    """Refuse a Serverless v2 capacity whose minimum is greater than its maximum."""
    if scaling and scaling.get("MinCapacity", 0) > scaling.get("MaxCapacity", 256):
        raise AwsError(
            "InvalidParameterValue", "Invalid ServerlessV2 capacity: the minimum capacity is greater than the maximum."
        )


_ENROLLED, _DISABLED = "open-source-rds-extended-support", "open-source-rds-extended-support-disabled"


def _check_support(params: dict[str, Any]) -> None:
    """Refuse an unknown lifecycle support, and disabled extended support for a version that needs it.

    Source: botocore ServiceModel, EngineLifecycleSupport of CreateDBCluster.
    """
    support = params.get("EngineLifecycleSupport", _ENROLLED)
    if support not in (_ENROLLED, _DISABLED):
        raise AwsError("InvalidParameterValue", f"Invalid value for EngineLifecycleSupport: {support}")
    version = full_version(params.get("EngineVersion")) if params.get("Engine") == ENGINE else ""
    if version and support == _DISABLED and is_unsupported(version):
        raise AwsError(
            "InvalidParameterCombination",
            f"{ENGINE} {version} is past its end of standard support; it needs RDS Extended Support.",
        )


def _check_groups(call: Call) -> None:
    """Refuse unknown parameter and subnet groups.

    Source of the codes: botocore ServiceModel, errors of CreateDBCluster.
    """
    rds = backend("rds", call.account, call.region)
    group = call.params.get("DBClusterParameterGroupName", "default.")
    if not group.startswith("default.") and group.lower() not in rds.db_cluster_parameter_groups:
        raise AwsError("DBClusterParameterGroupNotFound", f"DBClusterParameterGroup not found: {group}", 404)
    subnets = call.params.get("DBSubnetGroupName", "default")
    if subnets != "default" and subnets.lower() not in rds.subnet_groups:
        message = f"DB subnet group '{subnets}' does not exist."
        raise AwsError("DBSubnetGroupNotFoundFault", message, 404)


def _complete(call: Call, cluster: Any) -> None:
    """Set on moto's cluster the attributes that AWS returns and moto drops; moto's serializer reads them."""
    params = call.params
    cluster.engine_lifecycle_support = params.get("EngineLifecycleSupport", _ENROLLED)
    cluster.database_insights_mode = params.get("DatabaseInsightsMode", "standard")
    # "The storage type isn't returned when you set it to aurora": botocore ServiceModel, DBCluster.
    cluster.storage_type = "aurora-iopt1" if params.get("StorageType") == "aurora-iopt1" else None
    if "KmsKeyId" not in params:
        cluster.kms_key_id = _default_key(call) if cluster.storage_encrypted else None
    if "DBClusterParameterGroupName" not in params and cluster.engine == ENGINE:
        cluster.parameter_group = f"default.{ENGINE}{cluster.engine_version.partition('.')[0]}"


def _default_key(call: Call) -> str:
    """Return the ARN of the account's aws/rds key."""
    key = uuid5(NAMESPACE_URL, f"aws/rds {call.account} {call.region}")
    return f"arn:aws:kms:{call.region}:{call.account}:key/{key}"


def _cluster(call: Call, name: str, **changed: str) -> Reply:
    """Describe a cluster as a reply does, with some members changed."""
    description = ask_moto(call, "rds", "DescribeDBClusters", DBClusterIdentifier=name)["DBClusters"][0]
    return {"DBCluster": description | changed}


@always.after("rds", "CreateDBCluster", "ModifyDBCluster", "DeleteDBCluster")
def clean_cluster(_: Call, reply: Reply) -> None:
    """Drop the member that AWS does not return for an Aurora cluster."""
    reply["DBCluster"].pop("ScalingConfigurationInfo", None)


@always.before("rds", "DescribeDBClusters")
def upgrade_unsupported(call: Call) -> None:
    """Upgrade clusters without extended support to the next major version once standard support is over.

    Source: AWS doc, Aurora user guide, "Overview of Amazon RDS Extended Support".
    """
    for cluster in clusters(call).values():
        disabled = getattr(cluster, "engine_lifecycle_support", "") == _DISABLED
        if cluster.engine == ENGINE and disabled and is_unsupported(cluster.engine_version):
            cluster.engine_version = next_supported(cluster.engine_version)
            cluster.parameter_group = f"default.{ENGINE}{cluster.engine_version.partition('.')[0]}"


@always.after("rds", "DescribeDBClusters")
def clean_clusters(_: Call, reply: Reply) -> None:
    """Drop the member that AWS does not return for an Aurora cluster from all clusters."""
    for cluster in reply["DBClusters"]:
        cluster.pop("ScalingConfigurationInfo", None)


@always.before("rds", "ModifyDBCluster")
def modify_cluster(call: Call) -> Reply | None:
    """Apply also what moto ignores: IAM authentication turned off, log exports, version, domain, storage."""
    params = call.params
    name = params["DBClusterIdentifier"].lower()
    if name not in clusters(call):
        raise AwsError("DBClusterNotFoundFault", f"DBCluster {name} not found.", 404)
    cluster = clusters(call)[name]
    _check_capacity(params.get("ServerlessV2ScalingConfiguration"))
    _check_groups(call)
    _check_support({key: value for key, value in params.items() if key == "EngineLifecycleSupport"})
    cluster.engine_lifecycle_support = params.get("EngineLifecycleSupport", cluster.engine_lifecycle_support)
    own_params = {"EnableIAMDatabaseAuthentication", "CloudwatchLogsExportConfiguration", "StorageType", "Domain"}
    own_params.add("EngineLifecycleSupport")
    request = {k: v for k, v in params.items() if k not in own_params}
    if "EngineVersion" in params and cluster.engine == ENGINE:
        request["EngineVersion"] = full_version(params["EngineVersion"])
    if "EnableIAMDatabaseAuthentication" in params:
        cluster.iam_auth = params["EnableIAMDatabaseAuthentication"]
    if "Domain" in params:  # "Specify none to remove the cluster from its current domain": ServiceModel
        memberships = [DomainMembership(domain=params["Domain"])] if params["Domain"] != "none" else []
        cluster.domain_memberships = memberships
    if "StorageType" in params:
        cluster.storage_type = None if params["StorageType"] == "aurora" else params["StorageType"]
    exports = params.get("CloudwatchLogsExportConfiguration", {})
    remaining_exports = set(cluster.enabled_cloudwatch_logs_exports) - set(exports.get("DisableLogTypes", []))
    cluster.enabled_cloudwatch_logs_exports = sorted(remaining_exports | set(exports.get("EnableLogTypes", [])))
    ask_moto(call, "rds", "ModifyDBCluster", **request | {"DBClusterIdentifier": name})
    return _cluster(call, params.get("NewDBClusterIdentifier", name).lower())


@always.before("rds", "EnableHttpEndpoint", "DisableHttpEndpoint")
def set_http_endpoint(call: Call) -> Reply:
    """Turn a cluster's HTTP endpoint on or off; moto knows only that of Serverless v1."""
    arn = call.params["ResourceArn"]
    cluster = next((each for each in clusters(call).values() if each.db_cluster_arn == arn), None)
    if cluster is None:
        raise AwsError("ResourceNotFoundFault", f"The resource {arn} does not exist.", 404)
    cluster._enable_http_endpoint = call.operation == "EnableHttpEndpoint"
    return {"ResourceArn": arn, "HttpEndpointEnabled": cluster._enable_http_endpoint}


@always.before("rds", "RemoveRoleFromDBCluster")
def remove_role(call: Call) -> Reply:
    """Remove a role from a cluster; moto can only add roles (codes: botocore ServiceModel)."""
    params = call.params
    name = params["DBClusterIdentifier"].lower()
    if name not in clusters(call):
        raise AwsError("DBClusterNotFoundFault", f"DBCluster {name} not found.", 404)
    roles = clusters(call)[name]._associated_roles
    matching = [role for role in roles if role.role_arn == params["RoleArn"]]
    if not matching:
        message = f"Role {params['RoleArn']} is not associated with the cluster {name}."
        raise AwsError("DBClusterRoleNotFound", message, 404)
    roles.remove(matching[0])
    return {}


@always.before("rds", "DeleteDBCluster")
def delete_cluster(call: Call) -> None:
    """Refuse to delete a cluster without a final snapshot, unless it is skipped.

    Source: AWS doc, API_DeleteDBCluster.
    """
    if call.params.get("SkipFinalSnapshot") or call.params.get("FinalDBSnapshotIdentifier"):
        return
    raise AwsError(
        "InvalidParameterCombination", "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified."
    )


@always.before("rds", "DescribeDBClusterAutomatedBackups")
def list_no_backups(_: Call) -> Reply | None:
    """List no automated backups of deleted clusters: no delete here asks AWS to retain them."""
    return {"DBClusterAutomatedBackups": []}


@always.after("rds", "DeleteDBCluster")
def forget_automatic_snapshots(call: Call, reply: Reply) -> None:
    """Delete automated snapshots with their cluster, unless the call retains them.

    Source: botocore ServiceModel, DeleteAutomatedBackups.
    """
    if call.params.get("DeleteAutomatedBackups", True):
        delete_automatic_snapshots(call, reply["DBCluster"]["DBClusterIdentifier"])


def delete_automatic_snapshots(call: Call, cluster: str) -> None:
    """Delete the snapshots that RDS made of this cluster by itself; their names begin with `rds:`."""
    snapshots = backend("rds", call.account, call.region).cluster_snapshots
    of_cluster = [name for name, snapshot in snapshots.items() if snapshot.db_cluster_identifier == cluster]
    for name in of_cluster:
        if name.startswith("rds:"):
            del snapshots[name]
