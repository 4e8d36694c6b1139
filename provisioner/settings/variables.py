"""What a container is told by variables and by secrets."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator

# What the stack tells every container.
OWN_VARIABLES = frozenset(
    {"SESSIONS_TABLE", "DB_HOST", "DB_READER_HOST", "DB_PORT", "DB_NAME", "DB_USERNAME", "DB_PASSWORD"}
    | {"DB_SECRET_ARN", "DB_IAM_USER"}
)
# POSIX, environment variables: neither a name nor a value holds a NUL, a name holds no `=`.
_NAME = re.compile(r"[^=\s\x00-\x1f\x7f]+")
# ECS developer guide, "secrets-envvar-secrets-manager" and "secrets-envvar-ssm-paramstore": a secret's ARN
# may be followed by `:key:stage:version`. The role that starts tasks is given rights to what an ARN names.
_SECRET = re.compile(
    r"arn:aws(?:-[a-z-]+)?:(secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@!-]+(:[^:]*){0,3}|"
    r"ssm:[a-z0-9-]+:\d{12}:parameter/[\w/.-]+)",
    re.ASCII,
)


def is_private(path: str) -> bool:
    """Whether a setting of this path may hold what is nobody else's business: a container's variables."""
    return path.rpartition(".")[2] == "environment"


def without_values(path: str, value: Any, stand_in: Callable[[str, str], Any]) -> Any:
    """Return a setting's value, each variable's replaced by what `stand_in` makes of its name and value."""
    if not isinstance(value, Mapping):
        return value
    if is_private(path):
        return {name: stand_in(name, one) for name, one in value.items()}
    return {key: without_values(f"{path}.{key}", inner, stand_in) for key, inner in value.items()}


def _free(variables: dict[str, str]) -> dict[str, str]:
    for name, value in variables.items():
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a variable")
        if "\0" in value:
            raise ValueError(f"{name}: a value holds no NUL")
        if name in OWN_VARIABLES:
            raise ValueError(f"the variable {name} is not free: the stack tells it to every container")
    return variables


def _found(secrets: dict[str, str]) -> dict[str, str]:
    for name, arn in secrets.items():
        if not _SECRET.fullmatch(arn):
            raise ValueError(
                # Not what was given: it may be the secret itself.
                f"{name}: what is given is no ARN of a secret (arn:aws:secretsmanager:...) or parameter "
                "(arn:aws:ssm:...)"
            )
    return secrets


Variables = Annotated[dict[str, str], AfterValidator(_free)]
Secrets = Annotated[Variables, AfterValidator(_found)]
