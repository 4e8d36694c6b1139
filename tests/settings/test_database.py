"""The database's instances, its login by role and its measures, as they are declared."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from provisioner.engine.resource_graph.graph import Stack
from provisioner.engine.resource_graph.references import resolve
from provisioner.settings import Settings
from provisioner.stack import build
from provisioner.steps.lookups import offline_lookups


def declared(**database: Any) -> Stack:
    settings = Settings.model_validate({"profile": "production", "database": database})
    lookups = replace(offline_lookups(settings.network.zones, settings.database.version), account="123456789012")
    return build(settings, "prod", "us-east-1", lookups)


def place(stack: Stack, node: str) -> str:
    zone = stack.resources[node].props["AvailabilityZone"]
    return str(zone.ref.path)


def test_no_reader_stands_in_the_zone_of_the_writer_and_each_follows_the_one_before() -> None:
    stack = declared(readers=3)

    assert place(stack, "writer") == "zone 1"
    assert [place(stack, f"reader-{n}") for n in (1, 2, 3)] == ["zone 2", "zone 3", "zone 2"]
    assert [stack.resources[f"reader-{n}"].props["PromotionTier"] for n in (1, 2, 3)] == [1, 2, 3]
    assert len({resource.aws_name for resource in stack if str(resource.type) == "DBInstance"}) == 4
    # Who is made first writes.
    assert all("writer" in stack.resources[f"reader-{n}"].depends_on for n in (1, 2, 3))


def test_where_there_is_no_reader_nobody_is_told_of_one() -> None:
    environment = declared().resources["task"].props["containerDefinitions"][0]["environment"]

    assert "DB_READER_HOST" not in {one["name"] for one in environment}
    assert "rds_reader_endpoint" not in declared().outputs
    assert "rds_reader_endpoint" in declared(readers=1).outputs


def test_the_boundary_holds_a_login_to_its_user_before_the_cluster_is_there() -> None:
    document = declared().resources["boundary"].props["PolicyDocument"]
    [told] = [one for one in document["Statement"] if one["Action"] == ["rds-db:connect"]]

    users = resolve(told["Resource"], lambda ref: ref.path)
    assert users == ["arn:aws:rds-db:us-east-1:123456789012:dbuser:*/mlapi_app"]


def test_rds_alone_takes_the_role_that_measures_and_for_these_instances() -> None:
    role = declared(monitoring=60, readers=1).resources["monitor-role"].props
    [statement] = role["AssumeRolePolicyDocument"]["Statement"]

    assert statement["Principal"] == {"Service": "monitoring.rds.amazonaws.com"}
    assert len(statement["Condition"]["ArnLike"]["aws:SourceArn"]) == 2
    assert "monitor-role" not in declared().resources


def test_the_master_user_is_not_who_logs_in_by_role() -> None:
    with pytest.raises(ValueError, match="master user"):
        declared(iam_user="mlapi_admin")
