"""A user's own secrets and parameters may be under a key of the user's: a task's start opens those alone."""

from __future__ import annotations

from typing import Any

from provisioner.engine.resource_graph.references import resolve
from provisioner.iam.evaluator import Request, allows
from provisioner.settings import Settings
from provisioner.stack import build
from provisioner.steps.lookups import offline_lookups

WHERE = "eu-west-1:111122223333"
SECRET = f"arn:aws:secretsmanager:{WHERE}:secret:team/token-AbCdEf"
PARAMETER = f"arn:aws:ssm:{WHERE}:parameter/team/flag"
KEY = f"arn:aws:kms:{WHERE}:key/0a1a8aec-aa5d-4255-a348-aac223af0236"
GIVEN = {"TOKEN": f"{SECRET}:token::", "FLAG": PARAMETER}


def documents(*names: str, secrets: dict[str, str]) -> list[dict[str, Any]]:
    given = {"profile": "production", "container": {"secrets": secrets}}
    stack = build(Settings.model_validate(given), "prod", "eu-west-1", offline_lookups(3, "15"))
    return [resolve(stack.resources[name].props, lambda _: "arn:aws:x:y:1:z")["PolicyDocument"] for name in names]


def opening(arn: str, service: str, **told: str) -> Request:
    context = {f"kms:EncryptionContext:{key}": (value,) for key, value in told.items()}
    return Request("kms:Decrypt", arn, {"kms:ViaService": (f"{service}.eu-west-1.amazonaws.com",), **context})


def test_the_execution_role_opens_what_it_was_given_and_nothing_else() -> None:
    role, boundary = documents("execution-role-secrets", "boundary", secrets=GIVEN)
    the_secret = opening(KEY, "secretsmanager", SecretARN=SECRET)
    the_parameter = opening(KEY, "ssm", PARAMETER_ARN=PARAMETER)
    others = [
        opening(KEY, "secretsmanager", SecretARN=SECRET.replace("token", "other")),
        opening(KEY, "s3", SecretARN=SECRET),
        opening(KEY, "secretsmanager"),
        opening(KEY.replace("111122223333", "444455556666"), "secretsmanager", SecretARN=SECRET),
    ]

    assert allows([role], the_secret, boundary)
    assert allows([role], the_parameter, boundary)
    assert not any(allows([role], other, boundary) for other in others)


def test_the_task_itself_opens_none_of_them() -> None:
    (task,) = documents("task-role-use", secrets=GIVEN)

    assert not allows([task], opening(KEY, "secretsmanager", SecretARN=SECRET))


def test_where_none_is_given_no_key_is_spoken_of() -> None:
    (role,) = documents("execution-role-secrets", secrets={})

    assert not any("kms:Decrypt" in one["Action"] for one in role["Statement"])
