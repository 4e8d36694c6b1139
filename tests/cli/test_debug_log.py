"""`--debug` and `--log-file`: what a whole life of a stack writes there, and that no secret is in it."""

from __future__ import annotations

import dataclasses
import json
import logging
import stat
from pathlib import Path

import pytest

from provisioner.errors import UsageError
from provisioner.terminal.debug_log import end_log, log_to_file, log_unexpected_error
from tests.support.account_inventory import client
from tests.support.user import User

PASSWORD = "Correct-Horse_9-Battery"
VARIABLE = "a-variable-of-the-container-4711"
AWS_KEYS = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI-K7MDENG-EXAMPLEKEY"}
SETTINGS = ("--set", "profile=production", "--set", f'container.environment={{"MODEL_TOKEN": "{VARIABLE}"}}')
LIFE = (
    ["apply", "--yes", *SETTINGS],
    ["deploy", "--yes", "--no-smoke", "--image", "public.ecr.aws/acme/model:1.4.2", *SETTINGS],
    ["rotate-origin-secret", "--yes", *SETTINGS],
    ["teardown", "--yes", "--unprotect", *SETTINGS],
)


def secret_values(user: User) -> set[str]:
    """Every version of every secret in the account: a whole string, or the password of a document."""
    service = client(user.box.endpoint, "secretsmanager")
    versions = [
        {"SecretId": one["ARN"], "VersionId": version}
        for one in service.list_secrets()["SecretList"]
        for version in one["SecretVersionsToStages"]
    ]
    values = [service.get_secret_value(**version)["SecretString"] for version in versions]
    return {json.loads(value)["password"] if value.startswith("{") else value for value in values}


@pytest.mark.slow
def test_a_life_of_a_stack_is_logged_without_a_secret(user: User) -> None:
    # Without --local, so that the calls are signed with the keys of the environment.
    endpoint = {"AWS_ENDPOINT_URL": user.box.endpoint, "AWS_REGION": "us-east-1"}
    user = dataclasses.replace(user, environment={"DB_PASSWORD": PASSWORD, **AWS_KEYS, **endpoint})
    path = user.home / "debug.log"
    secrets, output = {PASSWORD, VARIABLE, *AWS_KEYS.values()}, ""

    for words in LIFE:
        ran = user.process(*words, "--suffix", "a", "--debug", "--log-file", str(path))
        assert ran.code == 0, ran.err
        output += ran.err + ran.out
        secrets |= secret_values(user)

    log = path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for part in ("provisioner.aws.call_log: ", "request ", "state.manager: intent: create", "state.lock: lock taken"):
        assert part in log
        assert part in output
    assert "botocore" not in log
    origin_secrets = secrets - {PASSWORD, VARIABLE, *AWS_KEYS.values()}
    assert len(origin_secrets) == 2  # before the rotation, and after it
    assert not [secret for secret in secrets if secret in log + output]


def test_an_unexpected_error_is_logged_by_its_place_and_type_alone(tmp_path: Path) -> None:
    log_to_file(tmp_path / "log")
    try:
        int(PASSWORD)
    except ValueError:
        log_unexpected_error()
    finally:
        end_log()
    logging.getLogger("provisioner").error("after the end")

    [line] = (tmp_path / "log").read_text().splitlines()
    assert line.endswith("in test_an_unexpected_error_is_logged_by_its_place_and_type_alone | ValueError")


def test_a_log_file_that_cannot_be_written_is_a_usage_error(user: User, tmp_path: Path) -> None:
    ran = user.run("list", "--log-file", str(tmp_path / "missing" / "log"))

    assert ran.code == UsageError.exit_code
    assert "cannot be written" in ran.err
