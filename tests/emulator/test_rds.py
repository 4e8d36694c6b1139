"""Corrections of moto's RDS."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.emulator.conftest import Client, code_of


def subnets(aws: Client, *zones: str) -> list[str]:
    ec2 = aws("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    return [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"us-east-1{zone}")["Subnet"][
            "SubnetId"
        ]
        for n, zone in enumerate(zones)
    ]


def cluster(aws: Client, **given: Any) -> Any:
    params = {
        "DBClusterIdentifier": "db",
        "Engine": "aurora-postgresql",
        "EngineVersion": "15",
        "MasterUsername": "app",
        "ManageMasterUserPassword": True,
        "ServerlessV2ScalingConfiguration": {"MinCapacity": 0.5, "MaxCapacity": 4},
    }
    return aws("rds").create_db_cluster(**params | given)["DBCluster"]


def described(aws: Client) -> Any:
    return aws("rds").describe_db_clusters(DBClusterIdentifier="db")["DBClusters"][0]


def test_versions_of_15_are_those_that_can_be_made(aws: Client) -> None:
    found = aws("rds").describe_db_engine_versions(Engine="aurora-postgresql", EngineVersion="15")
    versions = [v["EngineVersion"] for v in found["DBEngineVersions"]]
    assert versions == ["15.10", "15.12", "15.13", "15.14", "15.15", "15.17"]
    newest = aws("rds").describe_db_engine_versions(Engine="aurora-postgresql", EngineVersion="18")
    assert [one["EngineVersion"] for one in newest["DBEngineVersions"]] == ["18.3", "18.4", "18.6"]
    asked = {"Engine": "aurora-postgresql", "EngineVersion": "18.6", "DBInstanceClass": "db.serverless"}
    assert aws("rds").describe_orderable_db_instance_options(**asked)["OrderableDBInstanceOptions"]
    assert {v["DBParameterGroupFamily"] for v in found["DBEngineVersions"]} == {"aurora-postgresql15"}
    assert found["DBEngineVersions"][0]["ServerlessV2FeaturesSupport"]["MinCapacity"] == 0


def test_the_default_version_is_one(aws: Client) -> None:
    found = aws("rds").describe_db_engine_versions(Engine="aurora-postgresql", DefaultOnly=True)
    assert len(found["DBEngineVersions"]) == 1


def test_serverless_can_be_ordered_in_the_regions_zones(aws: Client) -> None:
    pages = aws("rds", "eu-west-1").get_paginator("describe_orderable_db_instance_options")
    asked = {"Engine": "aurora-postgresql", "EngineVersion": "15.17", "DBInstanceClass": "db.serverless"}
    options = list(pages.paginate(**asked).search("OrderableDBInstanceOptions[]"))
    assert [zone["Name"] for zone in options[0]["AvailabilityZones"]] == [
        "eu-west-1a",
        "eu-west-1b",
        "eu-west-1c",
    ]


def test_a_retired_version_is_refused(aws: Client) -> None:
    with pytest.raises(ClientError, match=r"Cannot find version 15\.4 for aurora-postgresql") as caught:
        cluster(aws, EngineVersion="15.4")
    assert code_of(caught) == "InvalidParameterCombination"


def test_a_bare_major_is_its_newest(aws: Client) -> None:
    assert cluster(aws)["EngineVersion"] == "15.17"


def test_a_second_cluster_of_a_name_is_refused_and_changes_nothing(aws: Client) -> None:
    cluster(aws, Tags=[{"Key": "k", "Value": "v"}])
    with pytest.raises(ClientError) as caught:
        cluster(aws, DBClusterIdentifier="DB", Port=5433)
    assert code_of(caught) == "DBClusterAlreadyExistsFault"
    assert described(aws)["Port"] == 5432
    assert described(aws)["TagList"] == [{"Key": "k", "Value": "v"}]


def test_a_cluster_is_read_as_it_was_sent(aws: Client) -> None:
    sent = {
        "StorageType": "aurora-iopt1",
        "StorageEncrypted": True,
        "EngineLifecycleSupport": "open-source-rds-extended-support-disabled",
        "DatabaseInsightsMode": "advanced",
        "EnableIAMDatabaseAuthentication": True,
        "EnableCloudwatchLogsExports": ["postgresql"],
    }
    assert cluster(aws, **sent)["Status"] == "creating"
    seen = described(aws)
    assert seen["Status"] == "available"
    assert seen["StorageType"] == "aurora-iopt1"
    assert seen["EngineLifecycleSupport"] == "open-source-rds-extended-support-disabled"
    assert seen["DatabaseInsightsMode"] == "advanced"
    assert seen["EnabledCloudwatchLogsExports"] == ["postgresql"]
    assert seen["KmsKeyId"].startswith("arn:aws:kms:us-east-1:123456789012:key/")
    assert seen["DBClusterParameterGroup"] == "default.aurora-postgresql15"
    assert seen["MasterUserSecret"]["SecretArn"]
    assert "ScalingConfigurationInfo" not in seen


def test_standard_storage_is_taken_and_not_echoed(aws: Client) -> None:
    assert "StorageType" not in cluster(aws, StorageType="aurora")


def test_modify_applies_what_moto_leaves_out(aws: Client) -> None:
    cluster(aws, EnableIAMDatabaseAuthentication=True, EnableCloudwatchLogsExports=["postgresql"])
    aws("rds").modify_db_cluster(
        DBClusterIdentifier="db",
        EnableIAMDatabaseAuthentication=False,
        CloudwatchLogsExportConfiguration={"DisableLogTypes": ["postgresql"]},
        BackupRetentionPeriod=7,
        ApplyImmediately=True,
    )
    seen = described(aws)
    assert seen["IAMDatabaseAuthenticationEnabled"] is False
    assert seen.get("EnabledCloudwatchLogsExports", []) == []
    assert seen["BackupRetentionPeriod"] == 7


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"DBClusterParameterGroupName": "none-such"}, "DBClusterParameterGroupNotFound"),
        ({"DBSubnetGroupName": "none-such"}, "DBSubnetGroupNotFoundFault"),
        (
            {"ServerlessV2ScalingConfiguration": {"MinCapacity": 4, "MaxCapacity": 1}},
            "InvalidParameterValue",
        ),
    ],
)
def test_a_cluster_of_missing_parts_is_refused(aws: Client, given: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as caught:
        cluster(aws, **given)
    assert code_of(caught) == code


def test_modify_of_a_missing_cluster_is_not_found(aws: Client) -> None:
    with pytest.raises(ClientError) as caught:
        aws("rds").modify_db_cluster(DBClusterIdentifier="db", BackupRetentionPeriod=7)
    assert code_of(caught) == "DBClusterNotFoundFault"


def test_delete_wants_a_word_on_the_final_snapshot(aws: Client) -> None:
    cluster(aws)
    with pytest.raises(ClientError) as caught:
        aws("rds").delete_db_cluster(DBClusterIdentifier="db")
    assert code_of(caught) == "InvalidParameterCombination"
    aws("rds").delete_db_cluster(DBClusterIdentifier="db", SkipFinalSnapshot=True)
    assert aws("rds").describe_db_cluster_snapshots()["DBClusterSnapshots"] == []


def test_an_instance_takes_after_its_cluster(aws: Client) -> None:
    group = {"DBSubnetGroupName": "Group", "DBSubnetGroupDescription": "d"}
    aws("rds").create_db_subnet_group(**group, SubnetIds=subnets(aws, "a", "b"))
    cluster(aws, DBSubnetGroupName="group", EnableIAMDatabaseAuthentication=True, Port=5433)
    instance = {
        "DBInstanceIdentifier": "db-1",
        "DBClusterIdentifier": "db",
        "Engine": "aurora-postgresql",
        "DBInstanceClass": "db.serverless",
        "EnablePerformanceInsights": True,
    }
    made = aws("rds").create_db_instance(**instance)["DBInstance"]
    assert made["DBInstanceStatus"] == "creating"
    seen = aws("rds").describe_db_instances(DBInstanceIdentifier="db-1")["DBInstances"][0]
    assert seen["IAMDatabaseAuthenticationEnabled"] is True
    assert seen["PerformanceInsightsEnabled"] is True
    assert seen["PerformanceInsightsRetentionPeriod"] == 7
    assert seen["DBSubnetGroup"]["DBSubnetGroupName"] == "group"
    assert seen["EngineVersion"] == "15.17"
    with pytest.raises(ClientError) as caught:
        aws("rds").create_db_instance(**instance)
    assert code_of(caught) == "DBInstanceAlreadyExists"
    modified = aws("rds").modify_db_instance(DBInstanceIdentifier="db-1", EnablePerformanceInsights=False)
    assert modified["DBInstance"]["PerformanceInsightsEnabled"] is False

    for half in ({"MonitoringInterval": 60}, {"MonitoringRoleArn": "arn:aws:iam::123456789012:role/a"}):
        with pytest.raises(ClientError, match="together"):
            aws("rds").modify_db_instance(DBInstanceIdentifier="db-1", **half)


def test_exported_logs_make_their_group(aws: Client) -> None:
    cluster(aws, EnableCloudwatchLogsExports=["postgresql"])
    aws("rds").create_db_instance(
        DBInstanceIdentifier="db-1",
        DBClusterIdentifier="db",
        Engine="aurora-postgresql",
        DBInstanceClass="db.serverless",
    )
    groups = aws("logs").describe_log_groups()["logGroups"]
    assert [g["logGroupName"] for g in groups] == ["/aws/rds/cluster/db/postgresql"]


def test_subnet_groups_are_kept(aws: Client) -> None:
    rds, ids = aws("rds"), subnets(aws, "a", "b", "c")
    group = {"DBSubnetGroupName": "Group", "DBSubnetGroupDescription": "d"}
    rds.create_db_subnet_group(**group, SubnetIds=ids[:2], Tags=[{"Key": "k", "Value": "v"}])
    with pytest.raises(ClientError) as caught:
        rds.create_db_subnet_group(**group, SubnetIds=ids)
    assert code_of(caught) == "DBSubnetGroupAlreadyExists"
    rds.modify_db_subnet_group(**group, SubnetIds=ids)
    seen = rds.describe_db_subnet_groups(DBSubnetGroupName="GROUP")["DBSubnetGroups"][0]
    assert len(seen["Subnets"]) == 3
    assert rds.list_tags_for_resource(ResourceName=seen["DBSubnetGroupArn"])["TagList"]
    rds.delete_db_subnet_group(DBSubnetGroupName="Group")
    with pytest.raises(ClientError) as caught:
        rds.describe_db_subnet_groups(DBSubnetGroupName="group")
    assert code_of(caught) == "DBSubnetGroupNotFoundFault"


def test_a_subnet_group_covers_two_zones(aws: Client) -> None:
    group = {"DBSubnetGroupName": "group", "DBSubnetGroupDescription": "d"}
    with pytest.raises(ClientError) as caught:
        aws("rds").create_db_subnet_group(**group, SubnetIds=subnets(aws, "a", "a"))
    assert code_of(caught) == "DBSubnetGroupDoesNotCoverEnoughAZs"
    with pytest.raises(ClientError) as caught:
        aws("rds").create_db_subnet_group(**group, SubnetIds=["subnet-none"])
    assert code_of(caught) == "InvalidSubnet"
