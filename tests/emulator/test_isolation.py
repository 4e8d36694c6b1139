"""`--local` reads nothing of the user's AWS environment: each variable of botocore's is set to nonsense."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES, DEFAULT_S3_CONFIG_VARS
from botocore.loaders import Loader

from provisioner.aws.connection import AwsConnection
from provisioner.aws.regions import choose_region
from provisioner.emulator.local import RunningEmulator, running_emulator
from tests.support.user import User


def of_botocore() -> Iterator[str]:
    """Every variable that this botocore reads by its tables."""
    for _, named, _, _ in (*BOTOCORE_DEFAUT_SESSION_VARIABLES.values(), *DEFAULT_S3_CONFIG_VARS.values()):
        yield from [named] if isinstance(named, str) else named or ()


# What botocore, boto3 and urllib3 read past those tables (grep of their sources for `environ`, 1.44.5).
BESIDES = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_STS",
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL_DYNAMODB",
    "AWS_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME",
    "_X_AMZN_TRACE_ID",
    "AWS_ACCOUNT_ID",
    "AWS_BEARER_TOKEN_BEDROCK",
    "BOTOCORE_EXPERIMENTAL__PLUGINS",
    "BOTO_EXPERIMENTAL__ADD_PROXY_HOST_HEADER",
    "BOTO_DISABLE_CRT",
    "BOTO_DISABLE_COMMONNAME",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "SSL_CERT_FILE",
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
)
VARIABLES = sorted({*of_botocore(), *BESIDES})
# What the variables of the issue are set to by hand, and what no list of words takes.
NONSENSE = ("nonsense", "auto")


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> set[Any]:
    addresses: set[Any] = set()
    connect = socket.socket.connect

    def noting(self: socket.socket, address: Any) -> None:
        addresses.add(address)
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", noting)
    return addresses


def local_of(user: User) -> RunningEmulator:
    emulator = running_emulator(user.home / "embedded" / "server")
    assert emulator
    return emulator


@pytest.mark.parametrize("variable", VARIABLES)
def test_no_variable_reaches_a_client_of_the_local_aws(
    user: User, connected: set[Any], monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    emulator = local_of(user)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "false")
    for nonsense in NONSENSE:
        monkeypatch.setenv(variable, nonsense)
        assert choose_region(None, local=True).name == "us-east-1"
        connection = AwsConnection("us-east-1", emulator)
        assert connection.location().account == "123456789012"
        assert connection.client("s3").list_buckets()["Buckets"] == []

    assert {address[:2] for address in connected} == {("127.0.0.1", int(user.box.endpoint.rsplit(":", 1)[1]))}


def test_all_variables_at_once_leave_a_plan_as_it_is(user: User) -> None:
    plain = user.process("plan", "--local", "--suffix", "a")
    assert plain.code == 0, plain.err
    for nonsense in NONSENSE:
        ran = user.process("plan", "--local", "--suffix", "a", **dict.fromkeys(VARIABLES, nonsense))
        assert (ran.code, ran.out) == (0, plain.out), ran.err
        assert "nonsense" not in ran.err


@pytest.mark.parametrize(
    "text",
    [
        "[default]\nregion = nonsense\ndefaults_mode = auto\nretry_mode = nonsense\ndata_path = /nowhere\n"
        "s3 =\n  addressing_style = nonsense\n  us_east_1_regional_endpoint = nonsense\n"
        "request_checksum_calculation = nonsense\naccount_id_endpoint_mode = nonsense\n"
        "use_fips_endpoint = true\nproxies_config =\n  proxy_ca_bundle = nonsense\nservices = no-such\n",
        "[profile x\nhalf",
        "\x00\xff",
    ],
)
def test_no_file_reaches_a_plan_either(user: User, tmp_path: Path, text: str) -> None:
    """The user's home too: files of both kinds, and a service model of their own that is damaged."""
    folder = tmp_path / "user" / ".aws"
    model = folder / "models" / "ec2" / "2099-01-01"
    model.mkdir(parents=True)
    (model / "service-2.json").write_text("{half")
    for name in ("config", "credentials"):
        (folder / name).write_text(text, encoding="latin-1")

    ran = user.process("plan", "--local", "--suffix", "a", "--region", "eu-west-1", HOME=str(folder.parent))

    assert ran.code == 0, ran.err
    assert "to add" in ran.out


def test_the_users_models_are_not_among_those_that_are_searched(user: User) -> None:
    session = AwsConnection("us-east-1", local_of(user))._session
    assert Loader.CUSTOMER_DATA_PATH not in session._session.get_component("data_loader").search_paths
