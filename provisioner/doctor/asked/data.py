"""The database, its secret, the session table, and the roles that may use them."""

from __future__ import annotations

from dataclasses import dataclass

from provisioner.doctor.asked.tasks import definitions
from provisioner.doctor.finding import Doc, Sought
from provisioner.doctor.patient import Patient, unless

# What is asked here, by service: `policy` grants it.
CALLS = {
    "rds": ("DescribeDBClusters", "DescribeDBInstances", "DescribeDBSubnetGroups"),
    "dynamodb": ("DescribeTable ml-api-sessions-{suffix}",),
    "secretsmanager": ("DescribeSecret",),
    "iam": (
        "GetRole ml-api-*-{suffix}",
        "ListRolePolicies ml-api-*-{suffix}",
        "GetRolePolicy ml-api-*-{suffix}",
        "ListAttachedRolePolicies ml-api-*-{suffix}",
        "GetPolicy",
        "GetPolicyVersion",
    ),
}
_NO_CLUSTER = ("DBClusterNotFoundFault", "DBClusterNotFound")
_NO_GROUP = ("DBSubnetGroupNotFoundFault", "DBSubnetGroupNotFound")
_NO_SUCH = ("ResourceNotFoundException", "NoSuchEntity")


@dataclass(frozen=True)
class Role:
    """A role, what its policies say, and its boundary where it has one; without a doc it is not there."""

    name: str
    of: str
    doc: Doc | None = None
    policies: tuple[Doc, ...] = ()
    boundary: Doc | None = None


def cluster(p: Patient) -> Sought:
    """DescribeDBClusters, by name."""
    name = p.named("aurora")
    rds = p.clients.client("rds")
    found = unless(_NO_CLUSTER, lambda: rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"], [])
    return Sought(f"database cluster {name}", next(iter(found), None))


def instances(p: Patient) -> list[Doc]:
    """DescribeDBInstances of the cluster."""
    rds = p.clients.client("rds")
    asked = [{"Name": "db-cluster-id", "Values": [cluster(p).found["DBClusterIdentifier"]]}]
    return list(rds.describe_db_instances(Filters=asked)["DBInstances"])


def subnet_group(p: Patient) -> Sought:
    """DescribeDBSubnetGroups: the one that the cluster is in."""
    name = cluster(p).found["DBSubnetGroup"]
    rds = p.clients.client("rds")
    found = unless(
        _NO_GROUP, lambda: rds.describe_db_subnet_groups(DBSubnetGroupName=name)["DBSubnetGroups"], []
    )
    return Sought(f"database subnet group {name}", next(iter(found), None))


def table(p: Patient) -> Sought:
    """DescribeTable, by name."""
    name = p.named("sessions")
    dynamodb = p.clients.client("dynamodb")
    doc = unless(_NO_SUCH, lambda: dynamodb.describe_table(TableName=name)["Table"])
    return Sought(f"table {name}", doc)


def secret_arns(p: Patient) -> list[str]:
    """The secrets that the running task definitions name, without the key that may follow."""
    named = (
        one["valueFrom"]
        for definition in definitions(p)
        for container in definition["containerDefinitions"]
        for one in container.get("secrets", [])
    )
    return list(dict.fromkeys(":".join(arn.split(":")[:7]) for arn in named if ":secretsmanager:" in arn))


def secrets(p: Patient) -> list[Sought]:
    """DescribeSecret of each: what is known of it, never its value."""
    return [_secret(p, arn) for arn in secret_arns(p)]


def _secret(p: Patient, arn: str) -> Sought:
    manager = p.clients.client("secretsmanager")
    return Sought(f"secret {arn}", unless(_NO_SUCH, lambda: manager.describe_secret(SecretId=arn)))


def roles(p: Patient) -> list[Role]:
    """The execution and the task role of what runs, with all that they may do."""
    named = {
        definition[member]: words
        for definition in definitions(p)
        for member, words in (("executionRoleArn", "execution role"), ("taskRoleArn", "task role"))
        if member in definition
    }
    return [_role(p, arn.rpartition("/")[2], words) for arn, words in named.items()]


def _role(p: Patient, name: str, words: str) -> Role:
    """GetRole, and each of its policies: its own, those attached, and the boundary."""
    iam = p.clients.client("iam")
    doc = unless(_NO_SUCH, lambda: iam.get_role(RoleName=name)["Role"])
    if doc is None:
        return Role(name, words)
    own = [
        iam.get_role_policy(RoleName=name, PolicyName=one)["PolicyDocument"]
        for one in iam.list_role_policies(RoleName=name)["PolicyNames"]
    ]
    attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    managed = [_managed(p, one["PolicyArn"]) for one in attached]
    boundary = doc.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    return Role(name, words, doc, (*own, *managed), _managed(p, boundary) if boundary else None)


def _managed(p: Patient, arn: str) -> Doc:
    """GetPolicy, and its default version."""
    iam = p.clients.client("iam")
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    return dict(iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"])
