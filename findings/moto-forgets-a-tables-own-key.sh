#!/usr/bin/env bash
# moto 5.2.5 forgets the definition of a table's own key when an index is added to the table.
#
# Expected: UpdateTable with the attributes of a new index alone adds them to those of the table: DynamoDB asks for
# the definitions that the new index needs, and DescribeTable goes on telling each attribute of each key.
# Seen: moto puts the list of the request in the place of the table's: the key schema names `pk`, and no
# definition of `pk` is left. A tool that compares the table with what it declares sees a key that was changed,
# which DynamoDB never does.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check 'moto[dynamodb]==5.2.5' 'boto3==1.44.5'
cat >"$work/index.py" <<'PY'
import boto3
from moto import mock_aws


def key(name: str) -> list[dict[str, str]]:
    return [{"AttributeName": name, "KeyType": "HASH"}]


def typed(name: str) -> list[dict[str, str]]:
    return [{"AttributeName": name, "AttributeType": "S"}]


with mock_aws():
    dynamodb = boto3.session.Session("testing", "testing", region_name="us-east-1").client("dynamodb")
    made = {"TableName": "example", "BillingMode": "PAY_PER_REQUEST"}
    dynamodb.create_table(**made, KeySchema=key("pk"), AttributeDefinitions=typed("pk"))
    index = {"IndexName": "by-org", "KeySchema": key("org"), "Projection": {"ProjectionType": "ALL"}}
    dynamodb.update_table(
        TableName="example",
        AttributeDefinitions=typed("org"),
        GlobalSecondaryIndexUpdates=[{"Create": index}],
    )
    table = dynamodb.describe_table(TableName="example")["Table"]

keys = [one["AttributeName"] for one in table["KeySchema"]]
defined = [one["AttributeName"] for one in table["AttributeDefinitions"]]
print(f"key of {keys}, definitions of {defined}")
assert (keys, defined) == (["pk"], ["org"]), "moto keeps the key now: the correction in the local AWS can go too"
PY
"$work/venv/bin/python" "$work/index.py"
