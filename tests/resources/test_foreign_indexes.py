"""An index that somebody made on the table is theirs: it blocks nothing, and is told as added by hand."""

from __future__ import annotations

import json

import pytest

from provisioner.resources.dynamodb import Table
from tests.support.account_inventory import client
from tests.support.user import User

INDEX = "by-country"


@pytest.mark.parametrize("names_all", [True, False])
def test_an_index_made_by_hand_is_told_and_left(user: User, names_all: bool) -> None:
    """Whether the update named all attributes, or those of the new index alone, as DynamoDB takes it too."""
    user.apply("a")
    dynamodb = client(user.box.endpoint, "dynamodb")
    [name] = dynamodb.list_tables()["TableNames"]
    known = dynamodb.describe_table(TableName=name)["Table"]["AttributeDefinitions"]
    index = {
        "IndexName": INDEX,
        "KeySchema": [{"AttributeName": "country", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
    }
    dynamodb.update_table(
        TableName=name,
        AttributeDefinitions=[
            *(known if names_all else []),
            {"AttributeName": "country", "AttributeType": "S"},
        ],
        GlobalSecondaryIndexUpdates=[{"Create": index}],
    )

    assert user.plan("a") == "No changes.\n"
    ran = user.run("drift", "--suffix", "a", "--json")
    told = [one for one in json.loads(ran.out)["drift"] if one["what"] == "extra"]
    assert [(one["extra"], "apply leaves it" in one["remedy"]) for one in told] == [(f"the index {INDEX}", True)]

    user.apply("a")
    assert user.plan("a") == "No changes.\n"
    table = dynamodb.describe_table(TableName=name)["Table"]
    assert [one["IndexName"] for one in table["GlobalSecondaryIndexes"]] == [INDEX]

    dynamodb.update_table(TableName=name, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": INDEX}}])
    assert dynamodb.describe_table(TableName=name)["Table"]["AttributeDefinitions"] == known


def test_capacity_is_bought_for_indexes_made_by_hand_too(user: User) -> None:
    """DynamoDB refuses to change how a table is paid for without the capacity of each of its indexes."""
    user.apply("a")
    dynamodb = client(user.box.endpoint, "dynamodb")
    [name] = dynamodb.list_tables()["TableNames"]
    for at in ("country", "year"):
        known = dynamodb.describe_table(TableName=name)["Table"]["AttributeDefinitions"]
        index = {
            "IndexName": f"by-{at}",
            "KeySchema": [{"AttributeName": at, "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }
        dynamodb.update_table(
            TableName=name,
            AttributeDefinitions=[*known, {"AttributeName": at, "AttributeType": "S"}],
            GlobalSecondaryIndexUpdates=[{"Create": index}],
        )

    bought = ("table.billing=provisioned", "table.read_units=7", "table.write_units=3")
    user.apply("a", *(word for one in bought for word in ("--set", one)))

    table = dynamodb.describe_table(TableName=name)["Table"]
    given = {
        one["IndexName"]: (
            one["ProvisionedThroughput"]["ReadCapacityUnits"],
            one["ProvisionedThroughput"]["WriteCapacityUnits"],
        )
        for one in table["GlobalSecondaryIndexes"]
    }
    assert given == {"by-country": (7, 3), "by-year": (7, 3)}
    user.apply("a")


def test_another_type_of_the_tables_own_key_is_a_difference_still() -> None:
    keys = [{"AttributeName": "id", "KeyType": "HASH"}]
    by_type = [
        Table().normalize(
            {
                "KeySchema": keys,
                "AttributeDefinitions": [
                    {"AttributeName": "id", "AttributeType": type_name},
                    {"AttributeName": "country", "AttributeType": "S"},
                ],
            }
        )["AttributeDefinitions"]
        for type_name in "SN"
    ]

    assert by_type == [[{"AttributeName": "id", "AttributeType": type_name}] for type_name in "SN"]
