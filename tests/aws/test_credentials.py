"""Whatever the credential chain ends with is one sentence and exit 3; and it is asked once a process."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from provisioner.aws import credentials
from provisioner.extras import LOGIN, install_command
from tests.support.fault_proxy import FaultProxy, plays
from tests.support.shared_state import BUCKET, make_bucket
from tests.support.user import ROOT, CommandResult, User

PAST = "2020-01-01T00:00:00Z"
LATER = (datetime.now(UTC) + timedelta(hours=6)).strftime("%Y-%m-%dT%H:%M:%SZ")
ROLE = "arn:aws:iam::123456789012:role/deployer"
MFA = "arn:aws:iam::123456789012:mfa/me"


@pytest.fixture
def front(user: User) -> Iterator[FaultProxy]:
    with FaultProxy(user.box.endpoint) as made:
        yield made


def user_with_config(user: User, front: FaultProxy, tmp_path: Path, config: str, **more: str) -> User:
    """A user with this config file, whose AWS is the emulator, and no keys in the environment."""
    home = tmp_path / "user"
    (home / ".aws").mkdir(parents=True, exist_ok=True)
    (home / ".aws" / "config").write_text(config)
    told = {"HOME": str(home), "AWS_CONFIG_FILE": str(home / ".aws" / "config"), "MLAPI_PROFILE": "seed"}
    told |= {"AWS_ENDPOINT_URL": front.url, "AWS_DEFAULT_REGION": "us-east-1", **more}
    return dataclasses.replace(user, environment={name: value for name, value in told.items() if value})


def plan(one: User) -> CommandResult:
    return one.run("plan", "--suffix", "a", local=False)


def keys(expiration: str = LATER) -> str:
    """What a credential_process prints."""
    told = {"Version": 1, "AccessKeyId": "AKIAPROCESS", "SecretAccessKey": "s3cr3t-words"}
    return json.dumps({**told, "SessionToken": "t0k3n-words", "Expiration": expiration}).replace('"', '\\"')


def process(text: str) -> str:
    return f"[profile p]\ncredential_process = {sys.executable} -c \"print('''{text}''')\"\n"


SSO = "sso_account_id = 123456789012\nsso_role_name = admin\n"
SESSION = "[sso-session corp]\nsso_region = us-east-1\nsso_start_url = https://corp.example/start\n"
WITH_SSO = f"[profile p]\nsso_session = corp\n{SSO}{SESSION}"
CHAINS: dict[str, tuple[str, dict[str, str], list[str]]] = {
    "ended in the environment": (
        "",
        {
            **{"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_SESSION_TOKEN": "c"},
            **{"AWS_CREDENTIAL_EXPIRATION": PAST, "AWS_PROFILE": ""},
        },
        ["have ended", "AWS_CREDENTIAL_EXPIRATION"],
    ),
    "no time in the environment": (
        "",
        {
            **{"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_SESSION_TOKEN": "c"},
            **{"AWS_CREDENTIAL_EXPIRATION": "soon", "AWS_PROFILE": ""},
        },
        ["cannot be used"],
    ),
    "no such profile": ("[profile other]\nregion = us-east-1\n", {}, ["no profile p", "other"]),
    "no profile at all": (
        "",
        {},
        ["There is no profile yet. Make this one with `aws configure --profile p`", "unset AWS_PROFILE"],
    ),
    "an empty profile": ("[profile p]\nregion = us-east-1\n", {}, ["The profile p has none", "--local"]),
    "half of the keys": ("[profile p]\naws_access_key_id = a\n", {}, ["not whole"]),
    "a file that cannot be parsed": ("[profile p\n", {}, ["config"]),
    "a program whose keys have ended": (process(keys(PAST)), {}, ["credential_process", "have ended"]),
    "a program that prints a list": (process("[]"), {}, ["credential_process", "Version 1"]),
    "a program that prints no JSON": (process("oops"), {}, ["credential_process", "Version 1"]),
    "a program that prints nothing": (process(""), {}, ["credential_process", "Version 1"]),
    "a program of another version": (process('{\\"Version\\": 2}'), {}, ["credential_process"]),
    "a program without a secret": (
        process('{\\"Version\\": 1, \\"AccessKeyId\\": \\"a\\"}'),
        {},
        ["credential_process"],
    ),
    "a program that is not there": ("[profile p]\ncredential_process = /no/such/program\n", {}, ["p"]),
    "a program that fails": (
        f"[profile p]\ncredential_process = {sys.executable} -c \"raise SystemExit('sign in first')\"\n",
        {},
        ["sign in first"],
    ),
    "no sign-in": (WITH_SSO, {}, ["aws sso login --profile p"]),
    "no sign-in, of old": (
        f"[profile p]\nsso_start_url = https://corp.example/start\nsso_region = us-east-1\n{SSO}",
        {},
        ["aws sso login --profile p"],
    ),
    "no such sso_session": (f"[profile p]\nsso_session = gone\n{SSO}", {}, ["gone", "config"]),
    "half an sso_session": (
        f"[profile p]\nsso_session = corp\n{SSO}[sso-session corp]\nsso_region = us-east-1\n",
        {},
        ["sso_start_url"],
    ),
    "a loop": (
        f"[profile p]\nrole_arn = {ROLE}\nsource_profile = q\n[profile q]\nrole_arn = {ROLE}\nsource_profile = p\n",
        {},
        ["loop"],
    ),
    "no such source": (f"[profile p]\nrole_arn = {ROLE}\nsource_profile = q\n", {}, ['"q"']),
    "no source": (f"[profile p]\nrole_arn = {ROLE}\n", {}, ["source_profile"]),
    "an unknown source": (f"[profile p]\nrole_arn = {ROLE}\ncredential_source = Moon\n", {}, ["Moon"]),
    "a source without keys": (
        f"[profile p]\nrole_arn = {ROLE}\ncredential_source = Environment\n",
        {},
        ["Environment"],
    ),
    "a token that is not there": (
        f"[profile p]\nrole_arn = {ROLE}\nweb_identity_token_file = /no/such/token\n",
        {},
        ["/no/such/token", "web_identity_token_file"],
    ),
    "a token of the environment that is not there": (
        "",
        {"AWS_PROFILE": "", "AWS_ROLE_ARN": ROLE, "AWS_WEB_IDENTITY_TOKEN_FILE": "/no/such/token"},
        ["/no/such/token", "AWS_WEB_IDENTITY_TOKEN_FILE"],
    ),
    "a container that gives none": (
        "",
        {"AWS_PROFILE": "", "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/keys"},
        ["The container gives no", "AWS_CONTAINER_CREDENTIALS_FULL_URI"],
    ),
    "a container of another host": (
        "",
        {"AWS_PROFILE": "", "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://somewhere.example/keys"},
        ["somewhere.example"],
    ),
}


@pytest.mark.parametrize("name", CHAINS)
def test_whatever_the_chain_ends_with_is_a_sentence_and_exit_3(
    user: User, front: FaultProxy, tmp_path: Path, name: str
) -> None:
    config, more, words = CHAINS[name]

    ran = plan(user_with_config(user, front, tmp_path, config, **{"AWS_PROFILE": "p", **more}))

    assert ran.code == 3, ran.err
    for word in words:
        assert word in ran.err
    assert "Traceback" not in ran.err
    for secret in ("s3cr3t-words", "t0k3n-words"):
        assert secret not in ran.err + ran.out
    assert ran.err.startswith("Error: ")


@pytest.mark.parametrize("text", ['{"accessToken": "t0k3n', "[]", "", '{"accessToken": "t0k3n-words"}'])
def test_a_sign_in_whose_file_was_cut_off_is_made_anew(
    user: User, front: FaultProxy, tmp_path: Path, text: str
) -> None:
    one = user_with_config(user, front, tmp_path, WITH_SSO, AWS_PROFILE="p")
    cache = tmp_path / "user" / ".aws" / "sso" / "cache"
    cache.mkdir(parents=True)
    # botocore utils.py, SSOTokenLoader: sha1 of the session's name.
    name = hashlib.sha1(b"corp", usedforsecurity=False).hexdigest()
    (cache / f"{name}.json").write_text(text)

    ran = one.process("plan", "--suffix", "a")

    assert ran.code == 3, ran.err
    assert "aws sso login --profile p" in ran.err
    assert "t0k3n" not in ran.err


WITH_LOGIN = "[profile p]\nlogin_session = arn:aws:iam::123456789012:user/me\n"


def test_a_profile_of_aws_login_names_the_package_or_the_command(user: User, front: FaultProxy, tmp_path: Path) -> None:
    from botocore.compat import EC

    ran = plan(user_with_config(user, front, tmp_path, WITH_LOGIN, AWS_PROFILE="p"))

    assert ran.code == 3, ran.err
    assert (install_command(LOGIN) if EC is None else "aws login --profile p") in ran.err


def with_mfa(source: str = "") -> str:
    source = source or "[profile s]\naws_access_key_id = a\naws_secret_access_key = b\n"
    return f"[profile p]\nrole_arn = {ROLE}\nsource_profile = s\nmfa_serial = {MFA}\n{source}"


def test_an_mfa_device_without_a_terminal_is_told(user: User, front: FaultProxy, tmp_path: Path) -> None:
    one = user_with_config(user, front, tmp_path, with_mfa(), AWS_PROFILE="p")

    ran = no_terminal(one, "plan", "--suffix", "a")

    assert ran.code == 3, ran.err
    assert MFA in ran.err
    assert "aws sts get-caller-identity --profile p" in ran.err


def no_terminal(one: User, *command: str, typed: str = "") -> CommandResult:
    """One command in a session of its own, so that no terminal can be opened."""
    told = {**os.environ, "MLAPI_HOME": str(one.home), **one.environment}
    line = [sys.executable, str(ROOT / "cli.py"), *command]
    ran = subprocess.run(
        line, input=typed, capture_output=True, text=True, env=told, check=False,
        start_new_session=True, timeout=120,
    )  # fmt: skip
    return CommandResult(ran.returncode, ran.stdout, ran.stderr)


def test_a_role_that_is_denied_is_named(user: User, front: FaultProxy, tmp_path: Path) -> None:
    front.order(plays.refusal("AccessDenied", 403, "not authorized"), operation="AssumeRole", times=9)
    config = with_mfa().replace(f"mfa_serial = {MFA}\n", "")

    ran = plan(user_with_config(user, front, tmp_path, config, AWS_PROFILE="p"))

    assert ran.code == 3, ran.err
    assert ROLE in ran.err
    assert "AccessDenied" in ran.err


def kept(tmp_path: Path) -> Path:
    return tmp_path / "user" / ".aws" / "cli" / "cache"


def test_a_code_is_asked_for_once_for_all_regions_services_and_the_bucket(
    user: User, front: FaultProxy, tmp_path: Path
) -> None:
    make_bucket(user.box)
    one = user_with_config(user, front, tmp_path, with_mfa(), AWS_PROFILE="p")
    command = ("plan", "--suffix", "a", "--state", f"s3://{BUCKET}")

    first = no_terminal(one, *command, typed="123456\n")

    assert first.code == 0, first.err
    assert front.operations().count("sts:AssumeRole") == 1
    assert any(name.startswith("s3:") for name in front.operations())
    [file] = kept(tmp_path).iterdir()
    assert file.stat().st_mode & 0o077 == 0

    assert no_terminal(one, *command).code == 0
    assert front.operations().count("sts:AssumeRole") == 1


def test_a_session_that_aws_no_longer_takes_is_not_used_again(user: User, front: FaultProxy, tmp_path: Path) -> None:
    config = with_mfa().replace(f"mfa_serial = {MFA}\n", "")
    one = user_with_config(user, front, tmp_path, config, AWS_PROFILE="p")
    assert plan(one).code == 0
    front.order(plays.refusal("ExpiredToken", 403, "expired"), operation="DescribeVpcs")

    ran = plan(one)

    assert ran.code == 0, ran.err
    assert front.operations().count("sts:AssumeRole") == 2


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"Credentials": {"AccessKeyId": "x"}}'])
def test_a_kept_session_that_cannot_be_read_is_as_none(
    user: User, front: FaultProxy, tmp_path: Path, text: str
) -> None:
    config = with_mfa().replace(f"mfa_serial = {MFA}\n", "")
    one = user_with_config(user, front, tmp_path, config, AWS_PROFILE="p")
    assert plan(one).code == 0
    [file] = kept(tmp_path).iterdir()
    file.write_text(text)
    credentials.forget_all()

    assert plan(one).code == 0


def test_where_no_session_can_be_kept_it_serves_the_process(user: User, front: FaultProxy, tmp_path: Path) -> None:
    config = with_mfa().replace(f"mfa_serial = {MFA}\n", "")
    one = user_with_config(user, front, tmp_path, config, AWS_PROFILE="p")
    (tmp_path / "user" / ".aws" / "cli").write_text("a file, where a folder should be")

    assert plan(one).code == 0


def test_an_empty_profile_counts_as_none(user: User) -> None:
    """As a pipeline leaves it whose variable is not set; botocore looks for a profile without a name."""
    ran = user.process("plan", "--suffix", "a", "--local", AWS_PROFILE="", AWS_CONFIG_FILE="", AWS_REGION="")
    asked = user.process(
        "plan",
        "--suffix",
        "a",
        AWS_PROFILE="",
        AWS_ACCESS_KEY_ID="AKIAIOSFODNN7EXAMPLE",
        AWS_SECRET_ACCESS_KEY="none",
        AWS_ENDPOINT_URL=user.box.endpoint,
    )

    assert ran.code == 0, ran.err
    assert "profile" not in asked.err
    assert "embedded" in asked.err or asked.code == 0, asked.err


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"])
def test_a_key_that_was_pasted_with_its_newline_is_told_and_not_shown(user: User, name: str) -> None:
    told = {
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "s3cr3t-words",
        "AWS_SESSION_TOKEN": "t0k3n-words",
        "AWS_ENDPOINT_URL": user.box.endpoint,
    }

    ran = user.process("plan", "--suffix", "a", **{**told, name: told[name] + "\n"})

    assert ran.code == 3, ran.err
    assert f"{name} holds a blank or a line break" in ran.err
    assert told[name] not in ran.out + ran.err


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_EC2", "AWS_ENDPOINT_URL_S3"])
def test_an_endpoint_that_is_no_url_is_named(user: User, name: str) -> None:
    told = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "s3cr3t-words"}

    ran = user.process("plan", "--suffix", "a", **{**told, "AWS_ENDPOINT_URL": user.box.endpoint, name: "foo"})

    assert ran.code == 64, ran.err
    assert "Traceback" not in ran.err
    assert "Invalid endpoint: foo" in ran.err
    assert "AWS_ENDPOINT_URL" in ran.err
