"""Aurora PostgreSQL Serverless v2 in the private subnets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from provisioner.engine.graph import Handle, Piece
from provisioner.engine.refs import Ref
from provisioner.kinds.facts import CLASS, ENGINE
from provisioner.kinds.rds.aurora import DBCluster
from provisioner.kinds.rds.groups import DBClusterParameterGroup, DBClusterParameters, DBSubnetGroup
from provisioner.kinds.rds.instances import DBInstance
from provisioner.kinds.secretsmanager import USUAL_DAYS, MasterLogin, Rotation, Secret, StoredPassword
from provisioner.names import name_of
from provisioner.settings import Settings
from provisioner.settings.postgres import DISABLED, ENROLLED
from provisioner.steps.account import Account
from provisioner.steps.facts import Facts
from provisioner.steps.keys import Keys
from provisioner.steps.logs import Logs
from provisioner.steps.monitoring import measured
from provisioner.steps.security import Security
from provisioner.steps.vpc import Network


@dataclass(frozen=True)
class Database:
    """The cluster, its instances, and the secret that holds its login."""

    cluster: Handle
    writer: Handle
    secret: Ref
    readers: int
    # The key of ours that the secret is under; None where it is AWS's.
    secret_key: Ref | None


def aurora(
    up: Piece,
    s: Settings,
    facts: Facts,
    net: Network,
    groups: Security,
    groups_of_logs: Logs,
    roles: Account,
    keys: Keys,
) -> Database:
    """A cluster and its `db.serverless` instances, encrypted, not public."""
    parameters, values = _parameters(up, facts, roles)
    under = keys.cluster(up.stack.region)
    password, secret, secret_under = _master_password(up, s, facts, keys)
    cluster = up(
        DBCluster,
        "aurora",
        Engine=ENGINE,
        EngineVersion=facts.engine["EngineVersion"],
        DatabaseName=s.database.name,
        MasterUsername=s.database.username,
        DBSubnetGroupName=_subnets(up, net, roles).id,
        DBClusterParameterGroupName=parameters.id,
        VpcSecurityGroupIds=[groups.database.id],
        ServerlessV2ScalingConfiguration=_capacity(s),
        StorageEncrypted=True,
        BackupRetentionPeriod=s.database.backup_days,
        EnableCloudwatchLogsExports=["postgresql"],
        DeletionProtection=s.database.deletion_protection or s.protect_data,
        EnableIAMDatabaseAuthentication=s.database.iam_login,
        CopyTagsToSnapshot=s.database.tag_snapshots,
        **_support(s),
        **_ending(up, s, facts),
        **password,
        **under,
        after=[values, groups_of_logs.aurora],
    )
    readers = max(s.database.readers, facts.readers)
    writer = _instances(up, s, facts, cluster, readers)
    return Database(cluster, writer, secret or _managed_secret(up, s, cluster), readers, secret_under)


def _instances(up: Piece, s: Settings, facts: Facts, cluster: Handle, readers: int) -> Handle:
    """The writer, and beside it the readers: in other zones, each following it into the next place."""
    nouns = {"writer": ("writer", "")} | {f"reader-{n}": ("reader", str(n)) for n in range(1, readers + 1)}
    names = [name_of(noun, up.stack.suffix, distinct) for noun, distinct in nouns.values()]
    measures, before = measured(up, s, facts, names)
    common = {
        "DBClusterIdentifier": cluster.id,
        "DBInstanceClass": CLASS,
        "Engine": ENGINE,
        "PubliclyAccessible": False,
        **measures,
    }
    # The first zone is never left, however few there are to be.
    home, *others = facts.zones
    writer = up(DBInstance, "writer", noun="writer", AvailabilityZone=home, after=before, **common)
    for n in range(1, readers + 1):
        up(
            DBInstance,
            f"reader-{n}",
            noun="reader",
            distinct=str(n),
            AvailabilityZone=others[(n - 1) % len(others)],
            # Up to 1 it keeps the writer's capacity, ready to take over; behind that it has its own
            # (Aurora user guide, aurora-serverless-v2.how-it-works, promotion tiers).
            PromotionTier=n,
            # The first that is made is the cluster's writer.
            after=[writer, *before],
            **common,
        )
    return writer


def _subnets(up: Piece, net: Network, roles: Account) -> Handle:
    return up(
        DBSubnetGroup,
        "db-subnets",
        DBSubnetGroupDescription="ml-api private subnets",
        SubnetIds=[subnet.id for subnet in net.private],
        after=[roles.rds],
    )


def _parameters(up: Piece, facts: Facts, roles: Account) -> tuple[Handle, Handle]:
    """The group, and what is set in it."""
    group = up(
        DBClusterParameterGroup,
        "db-parameters",
        DBParameterGroupFamily=facts.engine["DBParameterGroupFamily"],
        Description="ml-api cluster parameters",
        after=[roles.rds],
    )
    values = up(
        DBClusterParameters,
        "db-parameter-values",
        DBClusterParameterGroupName=group.id,
        Parameters={"rds.force_ssl": "1", "log_min_duration_statement": "1000"},
    )
    return group, values


def _capacity(s: Settings) -> dict[str, Any]:
    """A database that never goes to 0 has no time after which it would."""
    bounds = {"MinCapacity": s.database.min_acu, "MaxCapacity": s.database.max_acu}
    return bounds if s.database.min_acu else {**bounds, "SecondsUntilAutoPause": s.database.pause_after}


def _support(s: Settings) -> dict[str, Any]:
    """What becomes of the major version after its standard support, where that is set."""
    wanted = s.database.extended_support
    return {} if wanted is None else {"EngineLifecycleSupport": ENROLLED if wanted else DISABLED}


def _managed_secret(up: Piece, s: Settings, cluster: Handle) -> Ref:
    """RDS makes it, and rotates it as often as it is told."""
    secret = cluster["MasterUserSecret.SecretArn"]
    if s.database.rotation_days != USUAL_DAYS:
        up(
            Rotation,
            "db-rotation",
            SecretId=secret,
            RotationRules={"AutomaticallyAfterDays": s.database.rotation_days},
            after=[cluster.ready("RDS is still making the secret")],
        )
    return secret


def _master_password(
    up: Piece, s: Settings, facts: Facts, keys: Keys
) -> tuple[dict[str, Any], Ref | None, Ref | None]:
    """RDS makes, keeps and rotates the password, unless one was given when the stack was born."""
    if facts.master_password == "rds":  # noqa: S105 - who holds it, not what it is
        key = keys.cluster(up.stack.region).get("KmsKeyId")
        under = {"MasterUserSecretKmsKeyId": key} if key else {}
        return {"ManageMasterUserPassword": True, **under}, None, key
    under = keys.secret(up.stack.region)
    secret = up(
        Secret,
        "db-secret",
        noun="dbsecret",
        Description="ml-api database login",
        SecretString=MasterLogin(s.database.username),
        **under,
    )
    return {"MasterUserPassword": StoredPassword(secret.id)}, secret.id, under.get("KmsKeyId")


def _ending(up: Piece, s: Settings, facts: Facts) -> dict[str, Any]:
    """What becomes of the data when the cluster is deleted; the snapshot's name is fixed long before."""
    if not (s.database.final_snapshot or s.protect_data):
        return {"SkipFinalSnapshot": True}
    name = name_of("aurora", up.stack.suffix)
    return {"SkipFinalSnapshot": False, "FinalDBSnapshotIdentifier": f"{name}-final-{facts.born}"}
