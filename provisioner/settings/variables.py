"""The environment variables and secrets of a container."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator

from provisioner.errors import quoted

# The variables that the stack sets in every container.
OWN_VARIABLES = frozenset(
    {"SESSIONS_TABLE", "DB_HOST", "DB_READER_HOST", "DB_PORT", "DB_NAME", "DB_USERNAME", "DB_PASSWORD"}
    | {"DB_SECRET_ARN", "DB_IAM_USER"}
)
# POSIX, environment variables: a name and a value contain no NUL, and a name contains no `=`.
_NAME_PATTERN = re.compile(r"[^=\s\x00-\x1f\x7f]+")
# ECS developer guide, "secrets-envvar-secrets-manager" and "secrets-envvar-ssm-paramstore": a secret's ARN
# may be followed by `:key:stage:version`. The task execution role gets permission to read these ARNs.
_SECRET_ARN = re.compile(
    r"arn:aws(?:-[a-z-]+)?:(secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@!-]+(:[^:]*){0,3}|"
    r"ssm:[a-z0-9-]+:\d{12}:parameter/[\w/.-]+)",
    re.ASCII,
)


def is_sensitive(path: str) -> bool:
    """Return whether a setting may hold sensitive values: the environment variables of a container may."""
    return path.rpartition(".")[2] == "environment"


def replace_sensitive_values(path: str, value: Any, replacement: Callable[[str, str], Any]) -> Any:
    """Return the value of a setting with the values of environment variables replaced.

    Args:
        path: The path of the setting.
        value: The value of the setting.
        replacement: Returns the replacement for a variable, given its name and value.

    """
    if not isinstance(value, Mapping):
        return value
    if is_sensitive(path):
        return {name: replacement(name, variable_value) for name, variable_value in value.items()}
    return {key: replace_sensitive_values(f"{path}.{key}", member, replacement) for key, member in value.items()}


def sensitive_values(path: str, value: Any) -> dict[str, dict[str, Any]]:
    """Return the environment variables in the value of a setting, with their values, by the path that holds them."""
    if not isinstance(value, Mapping):
        return {}
    if is_sensitive(path):
        return {path: dict(value)}
    found = (sensitive_values(f"{path}.{key}", member) for key, member in value.items())
    return {inner: variables for each in found for inner, variables in each.items()}


def _check_variables(variables: dict[str, str]) -> dict[str, str]:
    """Return the variables; raise ValueError for an impossible name or value, or a reserved name."""
    for name, value in variables.items():
        if not _NAME_PATTERN.fullmatch(name):
            raise ValueError(f"{quoted(name)} is no name of a variable")
        if "\0" in value:
            raise ValueError(f"{name}: a value holds no NUL")
        if name in OWN_VARIABLES:
            raise ValueError(f"the variable {name} is not free: the stack tells it to every container")
    return variables


def _check_secrets(secrets: dict[str, str]) -> dict[str, str]:
    """Return the secrets; raise ValueError if one is not the ARN of a secret or parameter."""
    for name, arn in secrets.items():
        if not _SECRET_ARN.fullmatch(arn):
            raise ValueError(
                # The message does not repeat the given text, which may be the secret itself.
                f"{name}: what is given is no ARN of a secret (arn:aws:secretsmanager:...) or parameter "
                "(arn:aws:ssm:...)"
            )
    return secrets


Variables = Annotated[dict[str, str], AfterValidator(_check_variables)]
Secrets = Annotated[Variables, AfterValidator(_check_secrets)]
