"""The start of a task: it needs a network path to its image, its roles, its secrets, and its log group."""

from __future__ import annotations

from typing import Any

from provisioner.emulator.ecs.model import Task
from provisioner.emulator.ecs.start_failures import StartFailure, checks
from provisioner.emulator.hooks import behaviours
from provisioner.emulator.moto_bridge import backend

# Source of the messages: AWS doc, Amazon ECS stopped tasks error messages.


def _network_failure(task: Task) -> StartFailure | None:
    """Return a failure if the task's subnet cannot reach the registry: by a gateway or by endpoints."""
    if not task.subnet or _leads_out(task) or _has_endpoints(task):
        return None
    image = task.definition["containerDefinitions"][0]["image"]
    text = (
        "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref"
        f" {image}: failed to do request: dial tcp: i/o timeout"
    )
    return StartFailure(text, text)


def _leads_out(task: Task) -> bool:
    """Return whether the default route leads out: a NAT gateway, or an internet gateway and a public IP."""
    ec2 = backend("ec2", task.place.account, task.place.region)
    vpc = task.spec.get("networkConfiguration", {}).get("awsvpcConfiguration", {})
    for route in _route_table(ec2, task.subnet)._routes.values():
        if route.destination_cidr_block != "0.0.0.0/0":
            continue
        if route.nat_gateway is not None:
            return str(route.nat_gateway.state) == "available"
        return route.gateway is not None and vpc.get("assignPublicIp") == "ENABLED"
    return False


def _route_table(ec2: Any, subnet: str) -> Any:
    """Return the route table of a subnet: its own, or the VPC's main table."""
    for table in ec2.route_tables.values():
        if subnet in table._associations.values():
            return table
    vpc = next(zone[subnet].vpc_id for zone in ec2.subnets.values() if subnet in zone)
    return next(t for t in ec2.route_tables.values() if t.vpc_id == vpc and t.main_association_id)


def _has_endpoints(task: Task) -> bool:
    """Return whether the VPC has the endpoints for ECR (AWS doc, Amazon ECR interface VPC endpoints)."""
    ec2 = backend("ec2", task.place.account, task.place.region)
    vpc = next(zone[task.subnet].vpc_id for zone in ec2.subnets.values() if task.subnet in zone)
    service_names = {e.service_name for e in ec2.vpc_end_points.values() if (e.vpc_id, e.state) == (vpc, "available")}
    region = task.place.region
    return {f"com.amazonaws.{region}.{service}" for service in ("ecr.api", "ecr.dkr", "s3")} <= service_names


def _role_failure(task: Task) -> StartFailure | None:
    """Return a failure if the execution role or the task role does not exist."""
    roles = {role.arn for role in backend("iam", task.place.account, "aws").roles.values()}
    for member in ("executionRoleArn", "taskRoleArn"):
        arn = task.definition.get(member)
        if arn and arn not in roles:
            return StartFailure(
                f"ECS was unable to assume the role '{arn}' that was provided for this task. Please verify"
                " that the role being passed has the proper trust relationship and permissions and that your"
                " IAM user has permissions to pass this role."
            )
    return None


def _secret_failure(task: Task) -> StartFailure | None:
    """Return a failure if a secret of the task has no value to read."""
    secrets = backend("secretsmanager", task.place.account, task.place.region).secrets
    for container in task.definition["containerDefinitions"]:
        for secret in container.get("secrets", []):
            arn = ":".join(secret["valueFrom"].split(":")[:7])  # a key and a version may follow
            trouble = _secret_error(secrets.get(arn)) if ":secretsmanager:" in arn else ""
            if trouble:
                return StartFailure(
                    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource"
                    f" retrieval failed: unable to retrieve secret from asm: failed to fetch secret {arn}:"
                    f" {trouble}"
                )
    return None


def _secret_error(secret: Any) -> str:
    """Return the error of reading a secret, or "" (Secrets Manager API reference, GetSecretValue: errors)."""
    if secret is None:
        return "ResourceNotFoundException: Secrets Manager can't find the specified secret."
    if secret.is_deleted():
        return (
            "InvalidRequestException: You can't perform this operation on the secret because it was marked"
            " for deletion."
        )
    if not secret.default_version_id:
        return (
            "ResourceNotFoundException: Secrets Manager can't find the specified secret value for staging"
            " label: AWSCURRENT"
        )
    return ""


def _log_failure(task: Task) -> StartFailure | None:
    """Return a failure if a container's log group does not exist."""
    groups = backend("logs", task.place.account, task.place.region).groups
    for container in task.definition["containerDefinitions"]:
        log = container.get("logConfiguration", {})
        options = log.get("options", {})
        is_created = options.get("awslogs-create-group") == "true"
        if log.get("logDriver") == "awslogs" and not is_created and options.get("awslogs-group") not in groups:
            return StartFailure(
                "ResourceInitializationError: failed to validate logger args: create stream has been retried"
                " 1 times: failed to create Cloudwatch log stream: ResourceNotFoundException: The specified"
                " log group does not exist."
            )
    return None


def _first_failure(task: Task) -> StartFailure | None:
    """Return the first failure of all checks, or None."""
    if not behaviours.on:
        return None
    return next(
        filter(None, (check(task) for check in (_network_failure, _role_failure, _secret_failure, _log_failure))), None
    )


checks.append(_first_failure)
