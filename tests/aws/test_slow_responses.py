"""An answer that comes byte by byte is given up as a whole: a state write, logs, the credential chain."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from pathlib import Path

import pytest
from botocore.credentials import SSOProvider
from botocore.tokens import SSOTokenProvider

from provisioner.aws import credentials
from provisioner.emulator.control_client import STATE
from provisioner.engine.calls import caller
from provisioner.names import WRITER
from state.stack_state import StackLocation, StackState
from tests.aws.test_credentials import ROLE, SSO, WITH_SSO, user_with_config
from tests.support.fault_proxy import FaultProxy, plays
from tests.support.shared_state import BUCKET, make_bucket
from tests.support.user import User

# A drip of so many seconds a byte would last for minutes.
EVERY = 0.05
LATER = (datetime.now(UTC) + timedelta(hours=6)).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def front(user: User) -> Iterator[FaultProxy]:
    with FaultProxy(user.box.endpoint) as made:
        yield made


@contextlib.contextmanager
def led_through(user: User, front: FaultProxy) -> Iterator[None]:
    """Inside, the local AWS is reached by way of the front."""
    file = user.home / "embedded" / "server" / STATE
    kept = file.read_text()
    file.write_text(json.dumps({**json.loads(kept), "endpoint": front.url}))
    yield
    file.write_text(kept)


def test_a_state_write_that_drips_is_made_again(
    user: User, front: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one took effect: what stands there is read back, and is ours."""
    monkeypatch.setattr("provisioner.bucket.address.ANSWER_TIMEOUT_SECONDS", 2)
    make_bucket(user.box)
    there = ("--suffix", "a", "--state", f"s3://{BUCKET}")
    location = StackLocation("123456789012", "aws", "us-east-1", f"embedded:{user.box.emulator.instance}")
    file = tmp_path / "state.json"
    file.write_bytes(StackState("a", location, serial=7, outputs={"vpc_id": "vpc-1"}).dump(WRITER))
    drip = plays.after(plays.dripped_page(EVERY))
    order = front.order(drip, service="s3", operation="PutObject", path="/a.json")

    with led_through(user, front):
        ran = user.run("state", "push", *there, str(file))

    assert ran.code == 0, ran.err
    assert order.struck == 1
    assert json.loads(user.well("state", "pull", *there).out)["outputs"] == {"vpc_id": "vpc-1"}


def signed_in(cache: Path, name: str) -> None:
    """Leave a sign-in where `aws sso login` keeps it (botocore utils.py, SSOTokenLoader)."""
    cache.mkdir(parents=True)
    told = {"accessToken": "t0k3n", "expiresAt": LATER}
    (cache / f"{sha1(name.encode(), usedforsecurity=False).hexdigest()}.json").write_text(json.dumps(told))


START = "https://corp.example/start"
OF_OLD = f"[profile p]\nsso_start_url = {START}\nsso_region = us-east-1\n{SSO}"
ASSUMES = (
    f"[profile p]\nrole_arn = {ROLE}\nsource_profile = s\n"
    "[profile s]\naws_access_key_id = a\naws_secret_access_key = b\n"
)
SOURCES: dict[str, tuple[str, str, dict[str, str], str]] = {
    "a sign-in": (WITH_SSO, "corp", {}, "/federation/credentials"),
    "a sign-in of old": (OF_OLD, START, {}, "/federation/credentials"),
    "a role": (ASSUMES, "", {}, "/"),
    "a container": ("", "", {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "{url}/keys"}, "/keys"),
    "an instance": (
        "",
        "",
        {"AWS_EC2_METADATA_SERVICE_ENDPOINT": "{url}/imds/", "AWS_EC2_METADATA_DISABLED": "false"},
        "/imds/",
    ),
}


@pytest.mark.parametrize("name", SOURCES)
def test_the_chain_waits_for_no_answer_without_end(
    user: User, front: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    config, sign_in, more, path = SOURCES[name]
    monkeypatch.setattr(credentials, "ANSWER_TIMEOUT_SECONDS", 0.3)
    monkeypatch.setattr(caller, "_TIMEOUT_SECONDS", 0.3)
    order = front.order(plays.dripped_page(EVERY), path=path, times=100)
    cache = tmp_path / "sso"
    signed_in(cache, sign_in)
    for provider in (SSOProvider, SSOTokenProvider):
        monkeypatch.setattr(provider, "_SSO_TOKEN_CACHE_DIR", str(cache))
    told = {key: value.format(url=front.url) for key, value in more.items()}
    told |= {"AWS_MAX_ATTEMPTS": "1", "AWS_PROFILE": "" if more else "p"}

    ran = user_with_config(user, front, tmp_path, config, **told).run("plan", "--suffix", "a", local=False)

    assert ran.code == 3, ran.err
    assert "Traceback" not in ran.err
    assert order.struck
