"""The database: Aurora PostgreSQL Serverless v2 in the private subnets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from provisioner.engine.resource_graph.graph import ResourceHandle, Step
from provisioner.engine.resource_graph.references import Ref
from provisioner.names import name_of
from provisioner.resources.data_sources import ENGINE, INSTANCE_CLASS
from provisioner.resources.rds.aurora import DBCluster
from provisioner.resources.rds.groups import DBClusterParameterGroup, DBClusterParameters, DBSubnetGroup
from provisioner.resources.rds.instances import DBInstance
from provisioner.resources.secretsmanager import DEFAULT_ROTATION_DAYS, MasterLogin, Rotation, Secret, StoredPassword
from provisioner.settings import Settings
from provisioner.settings.postgres import EXTENDED_SUPPORT, NO_EXTENDED_SUPPORT
from provisioner.steps.account import ServiceRoles
from provisioner.steps.keys import Keys
from provisioner.steps.logs import LogGroups
from provisioner.steps.lookups import StackLookups
from provisioner.steps.monitoring import declare_monitoring
from provisioner.steps.security import SecurityGroups
from provisioner.steps.vpc import Network


@dataclass(frozen=True)
class Database:
    """The cluster, its writer, the ARN of the secret with its login, and the number of readers."""

    cluster: ResourceHandle
    writer: ResourceHandle
    secret: Ref
    readers: int
    # The stack's KMS key that encrypts the secret; None if AWS's own key does.
    secret_key: Ref | None


def declare_database(
    step: Step,
    settings: Settings,
    lookups: StackLookups,
    network: Network,
    security: SecurityGroups,
    logs: LogGroups,
    service_roles: ServiceRoles,
    keys: Keys,
) -> Database:
    """Declare the cluster and its `db.serverless` instances, encrypted and not public."""
    parameters, values = _declare_parameters(step, lookups, service_roles)
    encryption = keys.cluster_encryption(step.stack.region)
    password, secret, secret_key = _master_password(step, settings, lookups, keys)
    cluster = step(
        DBCluster,
        "aurora",
        Engine=ENGINE,
        EngineVersion=lookups.engine["EngineVersion"],
        DatabaseName=settings.database.name,
        MasterUsername=settings.database.username,
        DBSubnetGroupName=_declare_subnet_group(step, network, service_roles).id,
        DBClusterParameterGroupName=parameters.id,
        VpcSecurityGroupIds=[security.database.id],
        ServerlessV2ScalingConfiguration=_capacity_limits(settings),
        StorageEncrypted=True,
        BackupRetentionPeriod=settings.database.backup_days,
        EnableCloudwatchLogsExports=["postgresql"],
        DeletionProtection=settings.database.deletion_protection or settings.protect_data,
        EnableIAMDatabaseAuthentication=settings.database.iam_login,
        CopyTagsToSnapshot=settings.database.tag_snapshots,
        **_extended_support(settings),
        **_snapshot_options(step, settings, lookups),
        **password,
        **encryption,
        depends_on=[values, logs.aurora],
    )
    readers = max(settings.database.readers, lookups.readers)
    writer = _declare_instances(step, settings, lookups, cluster, readers)
    return Database(cluster, writer, secret or _managed_secret(step, settings, cluster), readers, secret_key)


def _declare_instances(
    step: Step, settings: Settings, lookups: StackLookups, cluster: ResourceHandle, readers: int
) -> ResourceHandle:
    """Declare the writer and the readers, and return the writer.

    The readers are in other zones than the writer, and reader n has promotion tier n.
    """
    nouns = {"writer": ("writer", "")} | {
        f"reader-{number}": ("reader", str(number)) for number in range(1, readers + 1)
    }
    names = [name_of(noun, step.stack.suffix, discriminator) for noun, discriminator in nouns.values()]
    monitoring_props, monitoring_resources = declare_monitoring(step, settings, lookups, names)
    common = {
        "DBClusterIdentifier": cluster.id,
        "DBInstanceClass": INSTANCE_CLASS,
        "Engine": ENGINE,
        "PubliclyAccessible": False,
        **monitoring_props,
    }
    # The writer is in the first zone, which stays in use however few zones are set.
    writer_zone, *other_zones = lookups.zones
    writer = step(
        DBInstance, "writer", noun="writer", AvailabilityZone=writer_zone, depends_on=monitoring_resources, **common
    )
    for number in range(1, readers + 1):
        step(
            DBInstance,
            f"reader-{number}",
            noun="reader",
            discriminator=str(number),
            AvailabilityZone=other_zones[(number - 1) % len(other_zones)],
            # Up to tier 1 a reader keeps the writer's capacity, ready to take over. In higher tiers it scales
            # by itself (Aurora user guide, aurora-serverless-v2.how-it-works, promotion tiers).
            PromotionTier=number,
            # The instance that is created first becomes the cluster's writer.
            depends_on=[writer, *monitoring_resources],
            **common,
        )
    return writer


def _declare_subnet_group(step: Step, network: Network, service_roles: ServiceRoles) -> ResourceHandle:
    """Declare the DB subnet group of the private subnets."""
    return step(
        DBSubnetGroup,
        "db-subnets",
        DBSubnetGroupDescription="ml-api private subnets",
        SubnetIds=[subnet.id for subnet in network.private],
        depends_on=[service_roles.rds],
    )


def _declare_parameters(
    step: Step, lookups: StackLookups, service_roles: ServiceRoles
) -> tuple[ResourceHandle, ResourceHandle]:
    """Declare the parameter group, and the parameters that are set in it."""
    group = step(
        DBClusterParameterGroup,
        "db-parameters",
        DBParameterGroupFamily=lookups.engine["DBParameterGroupFamily"],
        Description="ml-api cluster parameters",
        depends_on=[service_roles.rds],
    )
    values = step(
        DBClusterParameters,
        "db-parameter-values",
        DBClusterParameterGroupName=group.id,
        Parameters={"rds.force_ssl": "1", "log_min_duration_statement": "1000"},
    )
    return group, values


def _capacity_limits(settings: Settings) -> dict[str, Any]:
    """Return the capacity limits in ACUs. Only a database that may pause at 0 has a time until it does."""
    bounds = {"MinCapacity": settings.database.min_acu, "MaxCapacity": settings.database.max_acu}
    return bounds if settings.database.min_acu else {**bounds, "SecondsUntilAutoPause": settings.database.pause_after}


def _extended_support(settings: Settings) -> dict[str, Any]:
    """Return whether the major version has extended support after its standard support, if that is set."""
    is_extended = settings.database.extended_support
    if is_extended is None:
        return {}
    return {"EngineLifecycleSupport": EXTENDED_SUPPORT if is_extended else NO_EXTENDED_SUPPORT}


def _managed_secret(step: Step, settings: Settings, cluster: ResourceHandle) -> Ref:
    """Return the ARN of the secret that RDS creates; declare its rotation if that is not every seven days."""
    secret = cluster["MasterUserSecret.SecretArn"]
    if settings.database.rotation_days != DEFAULT_ROTATION_DAYS:
        step(
            Rotation,
            "db-rotation",
            SecretId=secret,
            RotationRules={"AutomaticallyAfterDays": settings.database.rotation_days},
            depends_on=[cluster.ready("RDS is still making the secret")],
        )
    return secret


def _master_password(
    step: Step, settings: Settings, lookups: StackLookups, keys: Keys
) -> tuple[dict[str, Any], Ref | None, Ref | None]:
    """Return the cluster's properties for its master password, the secret's ARN, and the secret's KMS key.

    Usually RDS creates, keeps and rotates the password, in a secret whose ARN is not known before: then the
    ARN is None. If a password was given when the stack was created, the stack has a secret of its own for it.
    """
    if lookups.master_password == "rds":  # noqa: S105 - who holds it, not what it is
        key = keys.cluster_encryption(step.stack.region).get("KmsKeyId")
        encryption = {"MasterUserSecretKmsKeyId": key} if key else {}
        return {"ManageMasterUserPassword": True, **encryption}, None, key
    encryption = keys.secret_encryption(step.stack.region)
    secret = step(
        Secret,
        "db-secret",
        noun="dbsecret",
        Description="ml-api database login",
        SecretString=MasterLogin(settings.database.username),
        **encryption,
    )
    return {"MasterUserPassword": StoredPassword(secret.id)}, secret.id, encryption.get("KmsKeyId")


def _snapshot_options(step: Step, settings: Settings, lookups: StackLookups) -> dict[str, Any]:
    """Return whether the cluster's deletion leaves a final snapshot, and its name.

    The name has the creation time of the stack, so it is known long before.
    """
    if not (settings.database.final_snapshot or settings.protect_data):
        return {"SkipFinalSnapshot": True}
    name = name_of("aurora", step.stack.suffix)
    return {"SkipFinalSnapshot": False, "FinalDBSnapshotIdentifier": f"{name}-final-{lookups.created_as}"}
