"""Who may apply a stack cannot come to more rights by it: every way up is tried, and ends in a refusal."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from provisioner.iam.evaluator import Request, allows
from tests.support.account_inventory import client
from tests.support.user import User

SUFFIX, ACCOUNT = "prod", "123456789012"
IAM = f"arn:aws:iam::{ACCOUNT}"
BOUNDARY, OTHER = f"{IAM}:policy/ml-api-boundary-{SUFFIX}", f"{IAM}:policy/wide"
TASK_ROLE, ADMIN = f"ml-api-task-role-{SUFFIX}", "admin"
ANYTHING = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
NOTHING = ANYTHING.replace("Allow", "Deny")
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "ecs-tasks.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)
Aws = Callable[[str], Any]


@pytest.fixture(scope="module", params=["apply", "all"])
def climber(served: Any, request: Any, tmp_path_factory: Any) -> Iterator[Aws]:
    """Clients of who may do what `policy` says, in an account with an admin and somebody else's things."""
    user = User.before(served, tmp_path_factory.mktemp("climber") / "home")
    asked = ("--suffix", SUFFIX, "--expect-account", ACCOUNT, "--json")
    with_key = ("--set", "profile=production", "--set", "encryption.key=own")
    given = user.well("policy", "--for", request.param, *asked, *with_key).lines[0]["policies"]
    served.behave(behaviours=False, speed=0.0)
    iam, ec2 = client(served.endpoint, "iam"), client(served.endpoint, "ec2")
    for name in (f"ml-api-boundary-{SUFFIX}", "wide"):
        iam.create_policy(PolicyName=name, PolicyDocument=NOTHING if "boundary" in name else ANYTHING)
    iam.create_role(RoleName=ADMIN, AssumeRolePolicyDocument=TRUST)
    iam.create_role(RoleName=TASK_ROLE, AssumeRolePolicyDocument=TRUST, PermissionsBoundary=BOUNDARY)
    ec2.create_vpc(CidrBlock="10.9.0.0/16")
    theirs = [{"TagKey": "Project", "TagValue": "ml-api"}, {"TagKey": "Environment", "TagValue": "other"}]
    client(served.endpoint, "kms").create_key(Description="theirs", Tags=theirs)
    served.authorise(*given)
    try:
        yield lambda service: client(served.endpoint, service)
    finally:
        served.authorise()
        served.behave(behaviours=True, speed=0.0)


def foreign_vpc(aws: Aws) -> str:
    return next(str(vpc["VpcId"]) for vpc in aws("ec2").describe_vpcs()["Vpcs"] if not vpc.get("Tags"))


def foreign_key(aws: Aws) -> str:
    kms = aws("kms")
    keys = [kms.describe_key(KeyId=one["KeyArn"])["KeyMetadata"] for one in kms.list_keys()["Keys"]]
    return next(str(key["Arn"]) for key in keys if key["Description"] == "theirs")


def definition(**roles: str) -> dict[str, Any]:
    container = {"name": "api", "image": "x", "memory": 128}
    return {"family": f"ml-api-taskdef-{SUFFIX}", "containerDefinitions": [container], **roles}


WAYS_UP: dict[str, tuple[str, Callable[[Aws], Any]]] = {
    "a role without a boundary": (
        "iam:CreateRole",
        lambda aws: aws("iam").create_role(RoleName=f"ml-api-flow-role-{SUFFIX}", AssumeRolePolicyDocument=TRUST),
    ),
    "a role under a boundary of one's own": (
        "iam:CreateRole",
        lambda aws: aws("iam").create_role(
            RoleName=f"ml-api-flow-role-{SUFFIX}", AssumeRolePolicyDocument=TRUST, PermissionsBoundary=OTHER
        ),
    ),
    "a role of another name": (
        "iam:CreateRole",
        lambda aws: aws("iam").create_role(
            RoleName="mine", AssumeRolePolicyDocument=TRUST, PermissionsBoundary=BOUNDARY
        ),
    ),
    "a wider policy on a role that is not the stack's": (
        "iam:PutRolePolicy",
        lambda aws: aws("iam").put_role_policy(RoleName=ADMIN, PolicyName="up", PolicyDocument=ANYTHING),
    ),
    "AdministratorAccess": (
        "iam:AttachRolePolicy",
        lambda aws: aws("iam").attach_role_policy(
            RoleName=TASK_ROLE, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
        ),
    ),
    "a role taken out of its boundary": (
        "iam:DeleteRolePermissionsBoundary",
        lambda aws: aws("iam").delete_role_permissions_boundary(RoleName=TASK_ROLE),
    ),
    "a role under another boundary": (
        "iam:PutRolePermissionsBoundary",
        lambda aws: aws("iam").put_role_permissions_boundary(RoleName=TASK_ROLE, PermissionsBoundary=OTHER),
    ),
    "a wider boundary": (
        "iam:CreatePolicyVersion",
        lambda aws: aws("iam").create_policy_version(PolicyArn=BOUNDARY, PolicyDocument=ANYTHING, SetAsDefault=True),
    ),
    "an older boundary": (
        "iam:SetDefaultPolicyVersion",
        lambda aws: aws("iam").set_default_policy_version(PolicyArn=BOUNDARY, VersionId="v1"),
    ),
    "a policy of another name": (
        "iam:CreatePolicy",
        lambda aws: aws("iam").create_policy(PolicyName="up", PolicyDocument=ANYTHING),
    ),
    "the admin's role passed to a task": (
        "iam:PassRole",
        lambda aws: aws("ecs").register_task_definition(**definition(taskRoleArn=f"{IAM}:role/{ADMIN}")),
    ),
    "the admin's role assumed": (
        "sts:AssumeRole",
        lambda aws: aws("sts").assume_role(RoleArn=f"{IAM}:role/{ADMIN}", RoleSessionName="up"),
    ),
    "a user": ("iam:CreateUser", lambda aws: aws("iam").create_user(UserName="mine")),
    "a key": ("iam:CreateAccessKey", lambda aws: aws("iam").create_access_key(UserName="root")),
    "somebody else's VPC by our tags": (
        "ec2:CreateTags",
        lambda aws: aws("ec2").create_tags(
            Resources=[foreign_vpc(aws)],
            Tags=[{"Key": "Project", "Value": "ml-api"}, {"Key": "Environment", "Value": SUFFIX}],
        ),
    ),
    "another stack's key by our tags": (
        "kms:TagResource",
        lambda aws: aws("kms").tag_resource(
            KeyId=foreign_key(aws),
            Tags=[
                {"TagKey": "Project", "TagValue": "ml-api"},
                {"TagKey": "Environment", "TagValue": SUFFIX},
            ],
        ),
    ),
    "another stack's key": (
        "kms:PutKeyPolicy",
        lambda aws: aws("kms").put_key_policy(KeyId=foreign_key(aws), PolicyName="default", Policy=ANYTHING),
    ),
    "somebody else's VPC": (
        "ec2:DeleteVpc",
        lambda aws: aws("ec2").delete_vpc(VpcId=foreign_vpc(aws)),
    ),
}


@pytest.mark.parametrize("way", WAYS_UP)
def test_a_way_up_is_refused(climber: Aws, way: str) -> None:
    action, attempt = WAYS_UP[way]

    with pytest.raises(ClientError) as refused:
        attempt(climber)

    error = refused.value.response["Error"]
    assert error["Code"] in ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")
    assert action in error["Message"]


def test_what_a_stacks_role_is_given_ends_at_its_boundary(climber: Aws) -> None:
    climber("iam").put_role_policy(RoleName=TASK_ROLE, PolicyName="use", PolicyDocument=ANYTHING)
    climber("ecs").register_task_definition(**definition(taskRoleArn=f"{IAM}:role/{TASK_ROLE}"))

    role = climber("iam").get_role(RoleName=TASK_ROLE)["Role"]
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == BOUNDARY
    up = Request("iam:CreateUser", f"{IAM}:user/mine")
    assert allows([json.loads(ANYTHING)], up)
    assert not allows([json.loads(ANYTHING)], up, boundary=json.loads(NOTHING))
