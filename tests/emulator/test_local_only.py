"""A rehearsal never leaves loopback, and a ledger of one place is never used in another."""

from __future__ import annotations

import dataclasses
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from provisioner.aws.connection import AwsConnection
from provisioner.emulator.local import RunningEmulator
from provisioner.errors import Blocked
from tests.support.user import User

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKIAREAL", "AWS_SECRET_ACCESS_KEY": "real"}


@pytest.fixture
def elsewhere() -> Iterator[socket.socket]:
    """Somebody who listens where a rehearsal must never call."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


def was_called(server: socket.socket) -> bool:
    """Whether anybody connected."""
    try:
        server.accept()[0].close()
    except BlockingIOError:
        return False
    return True


def lures(server: socket.socket, folder: Path) -> dict[str, str]:
    """An environment in which everything points at a real account."""
    there = f"http://127.0.0.1:{server.getsockname()[1]}"
    config = folder / "config"
    config.write_text(
        f"[default]\nendpoint_url = {there}\nregion = us-east-1\n"
        f"[profile real]\nendpoint_url = {there}\nregion = us-east-1\nservices = all\n"
        f"[services all]\nec2 =\n  endpoint_url = {there}\n"
    )
    names = ("EC2", "ECS", "RDS", "IAM", "STS", "S3", "DYNAMODB", "CLOUDFRONT", "CLOUDWATCH_LOGS")
    return {
        **CREDENTIALS,
        "AWS_PROFILE": "real",
        "AWS_CONFIG_FILE": str(config),
        "AWS_ENDPOINT_URL": there,
        **{f"AWS_ENDPOINT_URL_{name}": there for name in names},
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
        **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"), there),
        "AWS_CA_BUNDLE": str(folder / "no-such-bundle.pem"),
    }


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> set[Any]:
    """Every address that this process connects to."""
    addresses: set[Any] = set()
    connect = socket.socket.connect

    def noting(self: socket.socket, address: Any) -> None:
        addresses.add(address)
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", noting)
    return addresses


def test_it_stays_on_loopback_whatever_the_environment_says(
    user: User, elsewhere: socket.socket, connected: set[Any], tmp_path: Path
) -> None:
    lured = dataclasses.replace(user, environment=lures(elsewhere, tmp_path))

    lured.apply("a")
    lured.teardown("a")

    assert not was_called(elsewhere)
    port = int(user.box.endpoint.rsplit(":", 1)[1])
    assert connected == {("127.0.0.1", port)}


def test_a_profile_that_does_not_exist_is_not_even_looked_for(user: User) -> None:
    lost = dataclasses.replace(user, environment={"AWS_PROFILE": "no-such-profile"})

    assert lost.run("plan", "--suffix", "a").code == 0


def test_the_same_in_a_process_of_its_own(user: User, elsewhere: socket.socket, tmp_path: Path) -> None:
    ran = user.process("plan", "--local", "--suffix", "a", **lures(elsewhere, tmp_path))

    assert ran.code == 0, ran.err
    assert "to add" in ran.out
    assert not was_called(elsewhere)


@pytest.mark.parametrize("where", ["https://ec2.us-east-1.amazonaws.com", "http://127.0.0.1:1"])
def test_a_client_of_a_rehearsal_that_would_go_elsewhere_is_stopped_before_its_first_call(
    user: User, connected: set[Any], where: str
) -> None:
    emulator = RunningEmulator(user.box.endpoint, 1, "i", 0.0, behaviours=True, started="now")
    client = AwsConnection("us-east-1", emulator).client("ec2")
    client.meta.events.register_last("before-call.*", lambda params, **_: params.update(url=where))

    with pytest.raises(Blocked, match="only 127"):
        client.describe_vpcs()

    assert connected == set()


def test_a_ledger_of_a_rehearsal_is_refused_against_another_endpoint(user: User, tmp_path: Path) -> None:
    state = str(tmp_path / "one.json")
    user.apply("a", "--state", state)
    mark = user.mark()
    real = dataclasses.replace(user, environment={**CREDENTIALS, "AWS_ENDPOINT_URL": user.box.endpoint})

    for command in (["plan"], ["apply", "--yes"], ["teardown", "--yes"], ["status"]):
        ran = real.run(*command, "--suffix", "a", "--state", state, local=False)
        assert ran.code == 5, ran.err
        assert "embedded:" in ran.err

    assert user.tries(mark) == []


@pytest.mark.slow
def test_a_ledger_of_another_endpoint_is_refused_in_a_rehearsal(user: User, tmp_path: Path) -> None:
    state = str(tmp_path / "one.json")
    user.apply("a", "--state", state)
    text = Path(state).read_text().replace(f"embedded:{user.box.emulator.instance}", "https://emulator.example")
    Path(state).write_text(text)
    mark = user.mark()

    ran = user.run("apply", "--yes", "--suffix", "a", "--state", state)

    assert ran.code == 5
    assert "emulator.example" in ran.err
    assert user.tries(mark) == []


def test_an_emulator_of_ones_own_is_used_as_boto3_would(user: User) -> None:
    own = dataclasses.replace(user, environment={**CREDENTIALS, "AWS_ENDPOINT_URL": user.box.endpoint})

    ran = own.run("plan", "--suffix", "a", local=False)

    assert ran.code == 0, ran.err
    assert user.box.endpoint in ran.err
    assert "Plan: " in ran.out


@pytest.mark.parametrize("option", ["--expect-account=999999999999", "--set=account=999999999999"])
def test_another_account_than_the_expected_is_refused_before_anything_is_looked_at(user: User, option: str) -> None:
    mark = user.mark()

    ran = user.run("apply", "--yes", "--suffix", "a", option)

    assert ran.code == 3
    assert "999999999999" in ran.err
    assert "123456789012" in ran.err
    assert [call["operation"] for call in user.box.calls(mark)] == ["GetCallerIdentity"]


def test_the_expected_account_passes(user: User) -> None:
    assert user.run("plan", "--suffix", "a", "--expect-account", "123456789012").code == 0


def test_a_ledger_of_another_account_is_refused(user: User) -> None:
    user.apply("a")
    text = user.ledger("a").read_text().replace('"account": "123456789012"', '"account": "210987654321"')
    user.ledger("a").write_text(text)

    ran = user.run("apply", "--yes", "--suffix", "a")

    assert ran.code == 3
    assert "210987654321" in ran.err
