"""The execution role and the task role of the ECS tasks, limited to the stack's own resources."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from provisioner.engine.resource_graph.graph import ResourceHandle, Step
from provisioner.engine.resource_graph.references import Ref, interpolate
from provisioner.resources.iam import Role, RolePolicy
from provisioner.settings import Settings
from provisioner.settings.images import EcrImage
from provisioner.steps.account import arn
from provisioner.steps.aurora import Database
from provisioner.steps.boundary import boundary_property
from provisioner.steps.keys import Keys
from provisioner.steps.logs import LogGroups
from provisioner.steps.lookups import StackLookups


@dataclass(frozen=True)
class Roles:
    """The roles of a task, and their policies, without which they may do nothing."""

    execution: ResourceHandle
    task: ResourceHandle
    policies: list[ResourceHandle]


def declare_roles(
    step: Step,
    settings: Settings,
    lookups: StackLookups,
    logs: LogGroups,
    table: ResourceHandle,
    database: Database,
    keys: Keys,
) -> Roles:
    """Declare the execution role, which starts tasks, and the task role, which the running task uses."""
    execution = _declare_role(step, settings, lookups, "execution-role", "Starts the tasks of ml-api")
    task = _declare_role(step, settings, lookups, "task-role", "What a task of ml-api may do")
    start = [
        _allow(
            ["logs:CreateLogStream", "logs:PutLogEvents"],
            [interpolate("{}:*", arn(step, lookups, "logs", f"log-group:{logs.tasks.aws_name}"))],
        ),
        *_pull_rights(settings, lookups),
    ]
    decrypt_secret = _decrypt_database_secret(step, database)
    read_secrets = [
        _allow(["secretsmanager:GetSecretValue"], [database.secret, *_given_secret_arns(settings)]),
        *_read_given_parameters(settings),
        *decrypt_secret,
        *_decrypt_given_secrets(settings),
    ]
    use = [
        _allow(_TABLE_ACTIONS, [arn(step, lookups, "dynamodb", f"table/{table.aws_name}")]),
        *_decrypt_through(step, "dynamodb", keys.table_key(step.stack.region)),
        _allow(["secretsmanager:GetSecretValue"], [database.secret]),
        *_database_login(step, settings, lookups, database),
        *decrypt_secret,
    ]
    return Roles(
        execution,
        task,
        [
            *_declare_exec_policy(step, lookups, logs, task),
            _declare_policy(step, execution, "start", start),
            _declare_policy(step, execution, "secrets", read_secrets),
            _declare_policy(step, task, "use", use),
        ],
    )


_TABLE_ACTIONS = [
    f"dynamodb:{action}"
    for action in (
        "BatchGetItem",
        "BatchWriteItem",
        "ConditionCheckItem",
        "DeleteItem",
        "DescribeTable",
        "GetItem",
        "PutItem",
        "Query",
        "UpdateItem",
    )
]


def _declare_exec_policy(
    step: Step, lookups: StackLookups, logs: LogGroups, task: ResourceHandle
) -> list[ResourceHandle]:
    """Declare the task's rights for ECS Exec: its channels and session log (ECS guide, ecs-exec)."""
    if logs.exec is None:
        return []
    channels = [f"ssmmessages:{action}{end}Channel" for action in ("Create", "Open") for end in ("Control", "Data")]
    group = arn(step, lookups, "logs", f"log-group:{logs.exec.aws_name}:*")
    writes = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
    # Neither channels nor the list of log groups can be limited to a resource (service authorization
    # reference).
    anywhere = _allow([*channels, "logs:DescribeLogGroups"], ["*"])
    return [_declare_policy(step, task, "exec", [anywhere, _allow(writes, [group])])]


def _database_login(step: Step, settings: Settings, lookups: StackLookups, database: Database) -> list[dict[str, Any]]:
    """Return the right to log in to the database by IAM as one user (Aurora user guide, IAM policy)."""
    if not settings.database.iam_login:
        return []
    user = interpolate("dbuser:{}/{}", database.cluster["DbClusterResourceId"], settings.database.iam_user)
    return [_allow(["rds-db:connect"], [arn(step, lookups, "rds-db", user)])]


def _declare_role(step: Step, settings: Settings, lookups: StackLookups, noun: str, description: str) -> ResourceHandle:
    """Declare a role that ECS tasks can assume."""
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"Service": "ecs-tasks.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    if settings.roles.bound_trust:
        # Naming a cluster here stops every task (awsdocs/amazon-ecs-developer-guide#208).
        statement["Condition"] = {
            "StringEquals": {"aws:SourceAccount": lookups.account},
            "ArnLike": {"aws:SourceArn": arn(step, lookups, "ecs", "*")},
        }
    trust = {"Version": "2012-10-17", "Statement": [statement]}
    return step(
        Role, noun, noun=noun, AssumeRolePolicyDocument=trust, Description=description, **boundary_property(settings)
    )


def _declare_policy(step: Step, role: ResourceHandle, name: str, statements: list[dict[str, Any]]) -> ResourceHandle:
    """Declare an inline policy of a role."""
    document = {"Version": "2012-10-17", "Statement": statements}
    return step(RolePolicy, f"{role.logical_id}-{name}", RoleName=role.id, PolicyName=name, PolicyDocument=document)


def _allow(actions: Iterable[str], resources: list[Any]) -> dict[str, Any]:
    """Return a statement that allows the actions on the resources."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": resources}


def _pull_rights(settings: Settings, lookups: StackLookups) -> list[dict[str, Any]]:
    """Return the rights to pull from private ECR repositories; a public image needs none."""
    images = (EcrImage.of(image) for workload in settings.workloads for image in workload.images)
    arns = {}
    for image in images:
        if image:
            place = (lookups.partition, image.region, image.account, image.repository)
            arns[image.qualified] = interpolate("arn:{}:ecr:{}:{}:repository/{}", *place)
    if not arns:
        return []
    layers = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    # GetAuthorizationToken cannot be limited to a resource (service authorization reference, Amazon ECR).
    rights = [_allow(layers, list(arns.values())), _allow(["ecr:GetAuthorizationToken"], ["*"])]
    pull_through = [arns[name] for name in arns if name in lookups.pull_through_repositories]
    if pull_through:
        # ECR user guide, "IAM permissions required to sync an upstream registry": whoever pulls needs them.
        rights.insert(1, _allow(["ecr:BatchImportUpstreamImage", "ecr:CreateRepository"], pull_through))
    return rights


def _decrypt_database_secret(step: Step, database: Database) -> list[dict[str, Any]]:
    """Return the right to decrypt the database's secret, if a key of the stack encrypts it.

    Source: Secrets Manager user guide.
    """
    return _decrypt_through(step, "secretsmanager", database.secret_key)


def _decrypt_through(step: Step, service: str, key: Ref | None) -> list[dict[str, Any]]:
    """Return the right to decrypt, through a service, what it encrypts with a key of the stack.

    Whoever uses the service needs it. DynamoDB decrypts a table's key for each caller (aws/aws-cdk#10010; its
    developer guide, "encryption.usagenotes").
    """
    if key is None:
        return []
    via_service = {"kms:ViaService": f"{service}.{step.stack.region}.amazonaws.com"}
    return [{**_allow(["kms:Decrypt"], [key]), "Condition": {"StringEquals": via_service}}]


# The encryption context that Secrets Manager and Systems Manager pass to KMS (their user guides).
_ENCRYPTION_CONTEXT_KEYS = {"secretsmanager": "SecretARN", "ssm": "PARAMETER_ARN"}


def _decrypt_given_secrets(settings: Settings) -> list[dict[str, Any]]:
    """Return the right to decrypt the settings' secrets and parameters, if keys of the user encrypt them."""
    arns_by_source: dict[tuple[str, ...], list[str]] = {}
    for source_arn in [*_given_secret_arns(settings), *_given_arns(settings, "ssm")]:
        _, partition, service, region, account, *_ = source_arn.split(":")
        arns_by_source.setdefault((partition, service, region, account), []).append(source_arn)
    return [
        {
            # The keys are not known here, so the conditions limit the right to these secrets and this
            # service.
            **_allow(["kms:Decrypt"], [f"arn:{partition}:kms:{region}:{account}:key/*"]),
            "Condition": {
                "StringEquals": {
                    "kms:ViaService": f"{service}.{region}.amazonaws.com",
                    f"kms:EncryptionContext:{_ENCRYPTION_CONTEXT_KEYS[service]}": arns,
                }
            },
        }
        for (partition, service, region, account), arns in arns_by_source.items()
    ]


def _given_arns(settings: Settings, service: str) -> list[str]:
    """Return the ARNs of one AWS service that containers take secrets from, each once."""
    arns = (arn for workload in settings.workloads for arn in workload.container.secrets.values())
    return list(dict.fromkeys(arn for arn in arns if f":{service}:" in arn))


def _read_given_parameters(settings: Settings) -> list[dict[str, Any]]:
    """Return the right to read the Parameter Store parameters of the settings."""
    arns = _given_arns(settings, "ssm")
    return [_allow(["ssm:GetParameters"], arns)] if arns else []


def _given_secret_arns(settings: Settings) -> list[str]:
    """Return the ARNs of the secrets of the settings, without the JSON key that may follow an ARN."""
    return list(dict.fromkeys(":".join(arn.split(":")[:7]) for arn in _given_arns(settings, "secretsmanager")))
