"""A sign-in that ends in mid-run: at a terminal the run waits for a new one, elsewhere it is exit 3."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest

from provisioner.aws.credential_errors import ChainError
from provisioner.commands.sign_in import SIGN_IN_TIMEOUT, SignInWait
from provisioner.engine.calls.clock import Clock
from provisioner.terminal.console import Console
from tests.aws.test_credentials import LATER, PAST, SESSION, SSO, no_terminal, user_with_config
from tests.engine.test_waiter import Hurried
from tests.support.account_inventory import client
from tests.support.fault_proxy import Answer, FaultProxy, plays
from tests.support.fault_proxy.front import Ask, SeenRequest
from tests.support.manual_changes import settle
from tests.support.user import User
from tests.terminal.test_terminal import terminal

AWSCRT = "0.38.0"
USER = "arn:aws:iam::123456789012:user/me"
JSON = (("Content-Type", "application/json"),)
# Those of the profile `seed`.
LOG_GROUPS = 4
LOGS = ("apply", "--yes", "--suffix", "a", "--target", "logs")


@dataclass
class SignIn:
    """A person's sign-in: where it is kept, and the service that gives keys for it."""

    file: Path
    given: int = field(default=0, init=False)
    config: ClassVar[str]
    command: ClassVar[str]

    def make(self) -> None:
        """Sign in."""
        raise NotImplementedError

    def over(self) -> None:
        """End it."""
        raise NotImplementedError

    def give(self, seen: SeenRequest, ask: Ask) -> Answer:
        """Answer who asks for keys."""
        raise NotImplementedError


class OfSso(SignIn):
    """`aws sso login` (botocore utils.py, SSOTokenLoader)."""

    config = f"[profile p]\nsso_session = corp\n{SSO}{SESSION}"
    command = "aws sso login --profile p"

    def make(self) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text(json.dumps({"accessToken": "t0k3n-words", "expiresAt": LATER}))

    def over(self) -> None:
        self.file.unlink()

    def give(self, _seen: SeenRequest, _ask: Ask) -> Answer:
        self.given += 1
        end = round(time.time() + 6 * 3600) * 1000
        keys = {"accessKeyId": f"AKIASSO{self.given}", "secretAccessKey": "s3cr3t-words"}
        told = {"roleCredentials": {**keys, "sessionToken": "t0k3n-words", "expiration": end}}
        return Answer(200, JSON, json.dumps(told).encode())


class OfLogin(SignIn):
    """`aws login` (botocore credentials.py, LoginCredentialFetcher); wants awscrt."""

    config = f"[profile p]\nlogin_session = {USER}\n"
    command = "aws login --profile p"
    is_over = False

    def make(self) -> None:
        self.is_over = False
        self.given += 1
        self._keep(LATER)

    def over(self) -> None:
        self.is_over = True
        self._keep(PAST)

    def give(self, _seen: SeenRequest, _ask: Ask) -> Answer:
        if self.is_over:
            told: dict[str, Any] = {"error": "TOKEN_EXPIRED", "message": "over"}
            return Answer(403, (*JSON, ("x-amzn-errortype", "AccessDeniedException")), json.dumps(told).encode())
        self.given += 1
        keys = {"accessKeyId": f"AKIALOGIN{self.given}", "secretAccessKey": "s3cr3t-words"}
        told = {
            "accessToken": {**keys, "sessionToken": "t0k3n-words"},
            "tokenType": "urn:aws:params:oauth:token",
        }
        told |= {"expiresIn": 900, "refreshToken": "t0k3n-words"}
        return Answer(200, JSON, json.dumps(told).encode())

    def _keep(self, until: str) -> None:
        keys = {"accessKeyId": f"AKIALOGIN{self.given}", "secretAccessKey": "s3cr3t-words"}
        token = {
            "accessToken": {
                **keys,
                "sessionToken": "t0k3n-words",
                "accountId": "123456789012",
                "expiresAt": until,
            }
        }
        more = {"refreshToken": "t0k3n-words", "clientId": "c", "idToken": "t0k3n-words", "tokenType": "t"}
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text(json.dumps({**token, **more, "dpopKey": _key()}))


def _key() -> str:
    """A private key on P-256, as PEM (SEC 1)."""
    command = ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def front(user: User) -> Iterator[FaultProxy]:
    with FaultProxy(user.box.endpoint) as made:
        yield made


@pytest.fixture
def sso(tmp_path: Path) -> OfSso:
    name = hashlib.sha1(b"corp", usedforsecurity=False).hexdigest()
    return OfSso(tmp_path / "user" / ".aws" / "sso" / "cache" / f"{name}.json")


@pytest.fixture
def login(tmp_path: Path) -> OfLogin:
    name = hashlib.sha256(USER.encode()).hexdigest()
    return OfLogin(tmp_path / "user" / ".aws" / "login" / "cache" / f"{name}.json")


def ends_in_mid_run(front: FaultProxy, one: SignIn) -> None:
    """Give keys for a sign-in until a log group is made: from then on it is over, and so are the keys."""

    def over(seen: SeenRequest, ask: Ask) -> Answer:
        one.over()
        return plays.refusal("ExpiredTokenException", 400, "The security token is expired")(seen, ask)

    one.make()
    for path in ("/federation/credentials", "/v1/token"):
        front.order(one.give, path=path, times=10**6)
    front.order(over, operation="CreateLogGroup")


def plain(seen: str) -> str:
    """What a terminal shows, in one line and without control sequences."""
    return " ".join(re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", seen).split())


def waits_and_goes_on(desk: User, front: FaultProxy, tmp_path: Path, one: SignIn, **more: str) -> None:
    ends_in_mid_run(front, one)
    mine = user_with_config(desk, front, tmp_path, one.config, AWS_PROFILE="p", **more)

    with terminal(mine, *LOGS, local=False, **mine.environment) as person:
        seen = person.until("goes on by itself")
        assert f"Sign in again: {one.command}" in plain(seen)
        one.make()
        assert person.ends() == 0, person.seen

    assert plain(person.seen).count("Sign in again") == 1
    assert "words" not in person.seen
    assert len(groups(desk)) == len(set(groups(desk))) == LOG_GROUPS


def ends_and_is_told(desk: User, front: FaultProxy, tmp_path: Path, one: SignIn, **more: str) -> None:
    ends_in_mid_run(front, one)
    mine = user_with_config(desk, front, tmp_path, one.config, AWS_PROFILE="p", **more)

    ran = no_terminal(mine, *LOGS)

    assert ran.code == 3, ran.err
    assert one.command in ran.err
    assert "Sign in again" not in ran.err
    assert "words" not in ran.err + ran.out
    one.make()
    assert no_terminal(mine, *LOGS).code == 0
    assert len(groups(desk)) == LOG_GROUPS


def groups(user: User) -> list[str]:
    """The log groups there are, those too that AWS hides for some reads."""
    logs = client(user.box.endpoint, "logs")
    settle(logs.describe_log_groups)
    listed = logs.describe_log_groups()["logGroups"]
    return [str(one["logGroupName"]) for one in listed]


def test_at_a_terminal_a_run_waits_for_a_new_sso_sign_in(
    user: User, front: FaultProxy, tmp_path: Path, sso: OfSso
) -> None:
    waits_and_goes_on(user, front, tmp_path, sso)


def test_without_a_terminal_the_run_ends_at_once(user: User, front: FaultProxy, tmp_path: Path, sso: OfSso) -> None:
    ends_and_is_told(user, front, tmp_path, sso)


@pytest.fixture(scope="module")
def awscrt(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with awscrt, which profiles of `aws login` want (the extra `login`)."""
    folder = tmp_path_factory.mktemp("awscrt")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--no-deps",
        "--target",
        str(folder),
        f"awscrt=={AWSCRT}",
    ]
    subprocess.run(pip, check=True, timeout=300)
    return str(folder)


@pytest.mark.slow
@pytest.mark.parametrize("check", [waits_and_goes_on, ends_and_is_told])
def test_a_profile_of_aws_login_is_alike(
    user: User, front: FaultProxy, tmp_path: Path, login: OfLogin, awscrt: str, check: Any
) -> None:
    check(user, front, tmp_path, login, PYTHONPATH=awscrt)


@pytest.mark.slow
def test_the_keys_of_aws_login_are_renewed_while_it_lasts(
    user: User, front: FaultProxy, tmp_path: Path, login: OfLogin, awscrt: str
) -> None:
    front.order(login.give, path="/v1/token", times=10**6)
    login.make()
    login.over()
    login.is_over = False
    mine = user_with_config(user, front, tmp_path, login.config, AWS_PROFILE="p", PYTHONPATH=awscrt)

    assert no_terminal(mine, "plan", "--suffix", "a").code == 0
    assert login.given > 1


def over() -> ChainError:
    error = ChainError("The sign-in is over.", "")
    error.login = "aws login --profile p"
    return error


def test_a_sign_in_that_nobody_makes_ends_the_waiting(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Hurried()
    wait, start = SignInWait(Console(quiet=True), clock), clock.now()

    def for_ever() -> None:
        while True:
            wait(over())

    with pytest.raises(ChainError):
        for_ever()

    assert SIGN_IN_TIMEOUT <= clock.now() - start < SIGN_IN_TIMEOUT + 60
    assert capsys.readouterr().err.count("Sign in again: aws login --profile p") == 1


def test_who_stops_the_run_stops_the_waiting() -> None:
    clock = Clock()
    clock.stop()

    with pytest.raises(ChainError):
        SignInWait(Console(quiet=True), clock)(over())
