"""The first call of a command, answered by whoever stands between: a sentence and its exit code, always."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioner.engine.calls import caller
from tests.support.fault_proxy import FaultProxy, Trust, plays
from tests.support.fault_proxy.front import Play
from tests.support.user import CommandResult, User

COMMANDS = [
    ("plan", "--suffix", "a"),
    ("apply", "--yes", "--suffix", "a"),
    ("doctor", "--suffix", "a"),
    ("teardown", "--yes", "--suffix", "a"),
    ("state", "init", "--state", "s3://some-bucket"),
]
ONE = COMMANDS[0]


@pytest.fixture
def front(user: User, tmp_path: Path) -> Iterator[FaultProxy]:
    with FaultProxy(user.box.endpoint, Trust(tmp_path / "trust")) as made:
        yield made


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What lasts is told after a moment."""
    monkeypatch.setattr(caller, "_TIMEOUT_SECONDS", 0.3)


def run(user: User, front: FaultProxy, *command: str, **more: str) -> CommandResult:
    """One command whose way to AWS leads through the front; no proxy of whoever runs the tests."""
    told = {**front.as_proxy, "MLAPI_PROFILE": "seed", **more}
    return dataclasses.replace(user, environment=told).run(*command, local=False)


def says(ran: CommandResult, code: int, *words: str) -> None:
    """It ended so, with a sentence and what to do, and no traceback."""
    assert ran.code == code, ran.err
    assert "Traceback" not in ran.err
    for word in words:
        assert word in ran.err


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: str(one[0]))
@pytest.mark.parametrize(
    "play",
    [plays.page(), plays.empty(), plays.no_content_told(), plays.redirect(), plays.page(511)],
    ids=["page", "empty", "braces", "redirect", "511"],
)
def test_a_captive_portal_is_told_in_every_command(
    user: User, front: FaultProxy, command: tuple[str, ...], play: Play
) -> None:
    front.order(play, service="sts", times=100)

    says(run(user, front, *command), 1, "AWS cannot be reached", "again")


@pytest.mark.parametrize("proxy", ["http://[::", "http://me:s3cr3t@proxy:port", "http://", "socks5://a:1"])
@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy"])
def test_a_proxy_that_is_no_address_is_told_by_its_variable_before_a_call(
    user: User, front: FaultProxy, name: str, proxy: str
) -> None:
    """It was asked 11 times over 26 s."""
    ran = run(user, front, "plan", "--suffix", "a", **{name: proxy})

    says(ran, 64, f"{name} is no address of a proxy", f"Set {name} to http://HOST:PORT, or unset it")
    assert "s3cr3t" not in ran.err
    assert front.seen == []


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: str(one[0]))
@pytest.mark.parametrize("method", ["CONNECT", "POST"])
def test_a_proxy_that_wants_credentials_is_no_matter_of_those_of_aws(
    user: User, front: FaultProxy, command: tuple[str, ...], method: str
) -> None:
    front.order(plays.wants_proxy_credentials(), method=method, times=100)

    ran = run(user, front, *command)

    says(ran, 1, "407", "A proxy asks who you are", "HTTPS_PROXY")
    assert "AWS_PROFILE" not in ran.err


def test_a_proxy_that_forbids_is_told_as_one(user: User, front: FaultProxy) -> None:
    front.order(plays.page(403), service="sts", times=100)

    ran = run(user, front, *ONE)

    says(ran, 1, "403", "A proxy, and not AWS, says no")


@pytest.mark.parametrize(
    "play",
    [
        plays.bare_429(20),
        plays.request_timeout(),
        plays.hung_up(),
        plays.cut(),
        plays.no_http(),
        plays.page(),
    ],
    ids=["429", "timeout", "hung up", "cut", "no http", "page"],
)
def test_what_passes_is_asked_again(user: User, front: FaultProxy, play: Play) -> None:
    order = front.order(play, service="sts")

    says(run(user, front, *ONE), 0)
    assert order.struck == 1


def test_a_proxy_that_is_away_for_a_moment_is_waited_for(user: User, front: FaultProxy) -> None:
    front.leave(0.3)

    says(run(user, front, *ONE), 0)


def test_a_tls_handshake_that_was_cut_is_made_again(user: User, front: FaultProxy) -> None:
    front.cut_handshakes(2)

    says(run(user, front, *ONE), 0)


def test_a_certificate_that_is_not_trusted_is_told_at_once(user: User, front: FaultProxy, tmp_path: Path) -> None:
    other = Trust(tmp_path / "other", "Somebody else's authority")
    ran = run(user, front, *ONE, AWS_CA_BUNDLE=str(other.bundle))

    says(ran, 1, f"names {other.bundle} now", "CERTIFICATE_VERIFY_FAILED", "AWS_CA_BUNDLE", "PEM")
    assert front.operations() == []


@pytest.mark.parametrize("variable", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
@pytest.mark.parametrize("text", [None, "", "no certificate"])
def test_a_file_of_certificates_that_cannot_be_read_is_named(
    user: User, front: FaultProxy, tmp_path: Path, variable: str, text: str | None
) -> None:
    file = tmp_path / "ca.pem"
    if text is not None:
        file.write_text(text)

    told = {**front.as_proxy, variable: str(file)}
    del told["AWS_CA_BUNDLE" if variable != "AWS_CA_BUNDLE" else "HTTP_PROXY"]
    ran = dataclasses.replace(user, environment=told).run(*ONE, local=False)

    says(ran, 1, f"{variable} names {file}")


def test_a_host_that_is_not_there_is_told_with_what_names_it(user: User) -> None:
    told = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "NO_PROXY": "*"}
    told["AWS_ENDPOINT_URL"] = "https://sts-fips.example.invalid"
    ran = dataclasses.replace(user, environment=told).run(*ONE, local=False)

    says(ran, 1, "That name is not known", "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT")
    assert "again and again" not in ran.err


def test_an_answer_that_drips_is_given_up(user: User, front: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provisioner.aws.connection.ANSWER_TIMEOUT_SECONDS", 0.3)
    front.order(plays.dripped_page(0.05), service="sts", times=100)

    says(run(user, front, *ONE), 1, "No whole answer came in time")
