"""Calls of AWS are typed: what is misspelt in one is an error of mypy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.user import ROOT

BEGINNING = """
from provisioner.aws.connection import AwsConnection
from provisioner.engine.calls.clients import Clients, sibling_client
from provisioner.service_clients import EC2, Route53

def call(aws: AwsConnection, clients: Clients, ec2: EC2) -> None:
    """
# Each statement, and the code of mypy's error; "" for one without.
STATEMENTS = {
    'clients.client(EC2).describe_vpcs(VpcIds=["vpc-1"])["Vpcs"][0]["CidrBlock"]': "",
    "clients.client(EC2).describe_vpc()": "attr-defined",
    'clients.client(EC2).describe_vpcs(VpcId=["vpc-1"])': "call-arg",
    'clients.client(EC2).describe_vpcs(VpcIds=["vpc-1"], MaxResults="5")': "arg-type",
    'clients.client(EC2).describe_vpcs()["Vpc"]': "typeddict-item",
    'ec2.describe_vpcs(Filters=[{"Name": "vpc-id", "Value": ["vpc-1"]}])': "typeddict-unknown-key",
    "ec2.one_page.describe_vpc()": "attr-defined",
    "sibling_client(ec2, Route53).up_to(1).list_resource_record_set(HostedZoneId='Z')": "attr-defined",
    "clients.client(Route53).list_resource_record_set_protections(HostedZoneId='Z')": "",
    "clients.client(Route53).list_resource_record_set_protections(ZoneId='Z')": "call-arg",
    'clients.client("ec2").describe_vpcs()': "attr-defined",
    'aws.client("s3").head_bucket(Buckets="b")': "call-arg",
}


@pytest.mark.slow
def test_a_misspelt_operation_parameter_or_member_is_an_error_of_types(tmp_path: Path) -> None:
    module = tmp_path / "calls.py"
    module.write_text(BEGINNING + "\n    ".join(STATEMENTS) + "\n")

    ran = subprocess.run(
        [sys.executable, "-m", "mypy", "--hide-error-context", "--no-error-summary", module],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    found = [line.partition(": error: ") for line in ran.stdout.splitlines() if ": error: " in line]
    first = BEGINNING.count("\n") + 1

    assert {int(where.split(":")[1]) - first: error[error.rindex("[") + 1 : -1] for where, _, error in found} == {
        number: code for number, code in enumerate(STATEMENTS.values()) if code
    }, ran.stdout + ran.stderr
