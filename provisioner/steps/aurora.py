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
from provisioner.settings.postgres import DISABLED, ENROLLED
from provisioner.steps.account import Account
from provisioner.steps.keys import Keys
from provisioner.steps.logs import Logs
from provisioner.steps.lookups import StackLookups
from provisioner.steps.monitoring import monitoring
from provisioner.steps.security import Security
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


def aurora(
    step: Step,
    settings: Settings,
    lookups: StackLookups,
    network: Network,
    groups: Security,
    groups_of_logs: Logs,
    roles: Account,
    keys: Keys,
) -> Database:
    """Declare the cluster and its `db.serverless` instances, encrypted and not public."""
    parameters, values = _parameters(step, lookups, roles)
    under = keys.cluster(step.stack.region)
    password, secret, secret_under = _master_password(step, settings, lookups, keys)
    cluster = step(
        DBCluster,
        "aurora",
        Engine=ENGINE,
        EngineVersion=lookups.engine["EngineVersion"],
        DatabaseName=settings.database.name,
        MasterUsername=settings.database.username,
        DBSubnetGroupName=_subnets(step, network, roles).id,
        DBClusterParameterGroupName=parameters.id,
        VpcSecurityGroupIds=[groups.database.id],
        ServerlessV2ScalingConfiguration=_capacity(settings),
        StorageEncrypted=True,
        BackupRetentionPeriod=settings.database.backup_days,
        EnableCloudwatchLogsExports=["postgresql"],
        DeletionProtection=settings.database.deletion_protection or settings.protect_data,
        EnableIAMDatabaseAuthentication=settings.database.iam_login,
        CopyTagsToSnapshot=settings.database.tag_snapshots,
        **_support(settings),
        **_ending(step, settings, lookups),
        **password,
        **under,
        depends_on=[values, groups_of_logs.aurora],
    )
    readers = max(settings.database.readers, lookups.readers)
    writer = _instances(step, settings, lookups, cluster, readers)
    return Database(cluster, writer, secret or _managed_secret(step, settings, cluster), readers, secret_under)


def _instances(
    step: Step, settings: Settings, lookups: StackLookups, cluster: ResourceHandle, readers: int
) -> ResourceHandle:
    """Declare the writer and the readers, and return the writer.

    The readers are in other zones than the writer, and reader n has promotion tier n.
    """
    nouns = {"writer": ("writer", "")} | {f"reader-{n}": ("reader", str(n)) for n in range(1, readers + 1)}
    names = [name_of(noun, step.stack.suffix, distinct) for noun, distinct in nouns.values()]
    measures, before = monitoring(step, settings, lookups, names)
    common = {
        "DBClusterIdentifier": cluster.id,
        "DBInstanceClass": INSTANCE_CLASS,
        "Engine": ENGINE,
        "PubliclyAccessible": False,
        **measures,
    }
    # The writer is in the first zone, which stays in use however few zones are set.
    home, *others = lookups.zones
    writer = step(DBInstance, "writer", noun="writer", AvailabilityZone=home, depends_on=before, **common)
    for n in range(1, readers + 1):
        step(
            DBInstance,
            f"reader-{n}",
            noun="reader",
            discriminator=str(n),
            AvailabilityZone=others[(n - 1) % len(others)],
            # Up to tier 1 a reader keeps the writer's capacity, ready to take over. In higher tiers it scales
            # by itself (Aurora user guide, aurora-serverless-v2.how-it-works, promotion tiers).
            PromotionTier=n,
            # The instance that is created first becomes the cluster's writer.
            depends_on=[writer, *before],
            **common,
        )
    return writer


def _subnets(step: Step, network: Network, roles: Account) -> ResourceHandle:
    return step(
        DBSubnetGroup,
        "db-subnets",
        DBSubnetGroupDescription="ml-api private subnets",
        SubnetIds=[subnet.id for subnet in network.private],
        depends_on=[roles.rds],
    )


def _parameters(step: Step, lookups: StackLookups, roles: Account) -> tuple[ResourceHandle, ResourceHandle]:
    """Declare the parameter group, and the parameters that are set in it."""
    group = step(
        DBClusterParameterGroup,
        "db-parameters",
        DBParameterGroupFamily=lookups.engine["DBParameterGroupFamily"],
        Description="ml-api cluster parameters",
        depends_on=[roles.rds],
    )
    values = step(
        DBClusterParameters,
        "db-parameter-values",
        DBClusterParameterGroupName=group.id,
        Parameters={"rds.force_ssl": "1", "log_min_duration_statement": "1000"},
    )
    return group, values


def _capacity(settings: Settings) -> dict[str, Any]:
    """Return the capacity limits in ACUs. Only a database that may pause at 0 has a time until it does."""
    bounds = {"MinCapacity": settings.database.min_acu, "MaxCapacity": settings.database.max_acu}
    return bounds if settings.database.min_acu else {**bounds, "SecondsUntilAutoPause": settings.database.pause_after}


def _support(settings: Settings) -> dict[str, Any]:
    """Return whether the major version has extended support after its standard support, if that is set."""
    wanted = settings.database.extended_support
    return {} if wanted is None else {"EngineLifecycleSupport": ENROLLED if wanted else DISABLED}


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
    """Return how the cluster gets its master password, the secret's ARN, and the secret's KMS key.

    Usually RDS creates, keeps and rotates the password; the ARN is then None. If a password was given when
    the stack was created, the stack has a secret of its own for it.
    """
    if lookups.master_password == "rds":  # noqa: S105 - who holds it, not what it is
        key = keys.cluster(step.stack.region).get("KmsKeyId")
        under = {"MasterUserSecretKmsKeyId": key} if key else {}
        return {"ManageMasterUserPassword": True, **under}, None, key
    under = keys.secret(step.stack.region)
    secret = step(
        Secret,
        "db-secret",
        noun="dbsecret",
        Description="ml-api database login",
        SecretString=MasterLogin(settings.database.username),
        **under,
    )
    return {"MasterUserPassword": StoredPassword(secret.id)}, secret.id, under.get("KmsKeyId")


def _ending(step: Step, settings: Settings, lookups: StackLookups) -> dict[str, Any]:
    """Return whether the cluster's deletion leaves a final snapshot, and its name.

    The name has the creation time of the stack, so it is known long before.
    """
    if not (settings.database.final_snapshot or settings.protect_data):
        return {"SkipFinalSnapshot": True}
    name = name_of("aurora", step.stack.suffix)
    return {"SkipFinalSnapshot": False, "FinalDBSnapshotIdentifier": f"{name}-final-{lookups.created_as}"}
