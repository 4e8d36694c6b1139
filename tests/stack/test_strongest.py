"""The production stack at its strongest: under a key of its own, behind a way that CloudFront alone has."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from provisioner.emulator.server import LocalAws
from tests.support.account_inventory import client
from tests.support.user import User

SUFFIX, REGION, GLOBAL = "prod", "eu-west-1", "us-east-1"
OWN = {
    "MLAPI_PROFILE": "production",
    "MLAPI_ENCRYPTION__KEY": "own",
    "MLAPI_EDGE__VPC_ORIGIN": "true",
}
GROUP = "CloudFront-VPCOrigins-Service-SG"


@pytest.fixture(scope="module")
def user(served: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> User:
    """A production stack in a region that is not CloudFront's.

    AWS made both keys and the VPC origin, and its replies were lost: none was made twice.
    """
    plain = User.before(served, tmp_path_factory.mktemp("own-key"))
    user = dataclasses.replace(plain, environment=OWN)
    served.faults(
        {"operation": "kms:CreateKey", "fault": "lost_reply", "times": 2},
        {"operation": "cloudfront:CreateVpcOrigin", "fault": "lost_reply"},
    )
    user.apply(SUFFIX, "--region", REGION)
    served.faults()
    return user


def aws(user: User, service: str, region: str = REGION) -> Any:
    return client(user.box.endpoint, service, region)


def key_of(user: User, region: str = REGION) -> dict[str, Any]:
    """The one key of a region that is not AWS's."""
    kms = aws(user, "kms", region)
    keys = [kms.describe_key(KeyId=one["KeyId"])["KeyMetadata"] for one in kms.list_keys()["Keys"]]
    [key] = [one for one in keys if one["Description"].startswith("ml-api-")]
    return dict(key)


def test_everything_at_rest_is_under_the_key(user: User) -> None:
    key = key_of(user)["Arn"]
    [cluster] = aws(user, "rds").describe_db_clusters()["DBClusters"]
    table = aws(user, "dynamodb").describe_table(TableName=f"ml-api-sessions-{SUFFIX}")["Table"]
    groups = aws(user, "logs").describe_log_groups()["logGroups"]
    [topic] = aws(user, "sns").list_topics()["Topics"]
    secrets = aws(user, "secretsmanager")
    listed = secrets.list_secrets()["SecretList"]

    assert cluster["KmsKeyId"] == cluster["MasterUserSecret"]["KmsKeyId"] == key
    assert table["SSEDescription"]["KMSMasterKeyArn"] == key
    assert {group["kmsKeyId"] for group in groups} == {key}
    attributes = aws(user, "sns").get_topic_attributes(TopicArn=topic["TopicArn"])["Attributes"]
    assert attributes["KmsMasterKeyId"] == key
    assert {secrets.describe_secret(SecretId=one["ARN"])["KmsKeyId"] for one in listed} == {key}


def test_what_lives_with_cloudfront_has_a_key_there(user: User) -> None:
    key = key_of(user, GLOBAL)["Arn"]
    [group] = aws(user, "logs", GLOBAL).describe_log_groups()["logGroups"]
    [topic] = aws(user, "sns", GLOBAL).list_topics()["Topics"]
    attributes = aws(user, "sns", GLOBAL).get_topic_attributes(TopicArn=topic["TopicArn"])["Attributes"]

    assert group["kmsKeyId"] == attributes["KmsMasterKeyId"] == key
    assert key.split(":")[3] == GLOBAL


@pytest.mark.parametrize("region", [REGION, GLOBAL])
def test_a_key_changes_once_a_year_and_has_a_name_and_tags(user: User, region: str) -> None:
    kms, key = aws(user, "kms", region), key_of(user, region)
    names = [one["AliasName"] for one in kms.list_aliases(KeyId=key["KeyId"])["Aliases"]]
    tags = {tag["TagKey"]: tag["TagValue"] for tag in kms.list_resource_tags(KeyId=key["KeyId"])["Tags"]}

    assert kms.get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"] is True
    assert names == [f"alias/ml-api-{'key' if region == REGION else 'global-key'}-{SUFFIX}"]
    assert (tags["Project"], tags["Environment"]) == ("ml-api", SUFFIX)


@pytest.mark.parametrize("region", [REGION, GLOBAL])
def test_each_service_may_use_the_key_for_this_stack_alone(user: User, region: str) -> None:
    kms, key = aws(user, "kms", region), key_of(user, region)
    policy = json.loads(kms.get_key_policy(KeyId=key["KeyId"], PolicyName="default")["Policy"])
    by = {one["Sid"]: one for one in policy["Statement"]}

    groups = by["Logs"]["Condition"]["ArnEquals"]["kms:EncryptionContext:aws:logs:arn"]
    assert by["Logs"]["Principal"] == {"Service": f"logs.{region}.amazonaws.com"}
    assert all(SUFFIX in group and "*" not in group for group in groups)
    assert by["Alarms"]["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}
    # KMS is told neither account nor rule when EventBridge publishes: a condition would lose every event.
    assert "Condition" not in by["Events"]
    assert by["Events"]["Action"] == ["kms:Decrypt", "kms:GenerateDataKey*"]
    assert not any(one["Action"] == "kms:*" or "kms:*" in one["Action"] for one in policy["Statement"])


@pytest.mark.parametrize(
    ("role", "services"),
    [("execution-role", ["secretsmanager"]), ("task-role", ["dynamodb", "secretsmanager"])],
)
def test_a_role_uses_the_key_through_what_is_under_it_alone(user: User, role: str, services: list[str]) -> None:
    iam, name = aws(user, "iam"), f"ml-api-{role}-{SUFFIX}"
    documents = [
        iam.get_role_policy(RoleName=name, PolicyName=one)["PolicyDocument"]
        for one in iam.list_role_policies(RoleName=name)["PolicyNames"]
    ]
    opens = [one for doc in documents for one in doc["Statement"] if "kms:Decrypt" in one["Action"]]
    bound = iam.get_role(RoleName=name)["Role"]["PermissionsBoundary"]["PermissionsBoundaryArn"]
    version = iam.get_policy(PolicyArn=bound)["Policy"]["DefaultVersionId"]
    within = iam.get_policy_version(PolicyArn=bound, VersionId=version)["PolicyVersion"]["Document"]

    through = [f"{service}.{REGION}.amazonaws.com" for service in services]
    assert all(one["Resource"] == [key_of(user)["Arn"]] for one in opens)
    assert [one["Condition"] for one in opens] == [{"StringEquals": {"kms:ViaService": one}} for one in through]
    assert set(through) <= {
        one["Condition"]["StringEquals"]["kms:ViaService"]
        for one in within["Statement"]
        if "kms:Decrypt" in one["Action"]
    }


def test_the_database_keeps_the_key_that_it_was_made_with(user: User) -> None:
    mark = user.mark()
    ran = user.run("apply", "--yes", "--suffix", SUFFIX, "--set", "encryption.key=aws")

    assert ran.code != 0
    assert "KmsKeyId" in ran.err
    assert "copy-db-cluster-snapshot" in ran.err
    assert user.acts(mark) == []


def test_the_balancer_has_no_address_on_the_internet(user: User) -> None:
    [balancer] = aws(user, "elbv2").describe_load_balancers()["LoadBalancers"]
    private = {
        one["SubnetId"]
        for one in aws(user, "ec2").describe_subnets(Filters=[{"Name": "tag:Environment", "Values": [SUFFIX]}])[
            "Subnets"
        ]
        if any(tag["Value"].startswith("private-") for tag in one["Tags"])
    }

    assert balancer["Scheme"] == "internal"
    assert {zone["SubnetId"] for zone in balancer["AvailabilityZones"]} == private
    assert balancer["DNSName"] in user.well("outputs", "--suffix", SUFFIX).out


def test_cloudfront_calls_it_through_its_own_way(user: User) -> None:
    cloudfront = aws(user, "cloudfront")
    [balancer] = aws(user, "elbv2").describe_load_balancers()["LoadBalancers"]
    [way] = cloudfront.list_vpc_origins()["VpcOriginList"]["Items"]
    [edge] = cloudfront.list_distributions()["DistributionList"]["Items"]
    [origin] = cloudfront.get_distribution(Id=edge["Id"])["Distribution"]["DistributionConfig"]["Origins"]["Items"]

    assert (way["OriginEndpointArn"], way["Status"]) == (balancer["LoadBalancerArn"], "Deployed")
    assert origin["VpcOriginConfig"]["VpcOriginId"] == way["Id"]
    tags = cloudfront.list_tags_for_resource(Resource=way["Arn"])["Tags"]["Items"]
    assert {"Key": "Environment", "Value": SUFFIX} in tags


def test_only_cloudfront_s_addresses_may_knock(user: User) -> None:
    groups = aws(user, "ec2").describe_security_groups()["SecurityGroups"]
    [group] = [one for one in groups if one["GroupName"].startswith("ml-api-sg-alb")]
    [door] = group["IpPermissions"]

    assert door["IpRanges"] == []
    assert len(door["PrefixListIds"]) == 1


def test_what_cloudfront_made_in_the_vpc_is_no_drift(user: User) -> None:
    groups = aws(user, "ec2").describe_security_groups()["SecurityGroups"]
    assert GROUP in {one["GroupName"] for one in groups}

    assert GROUP not in user.run("drift", "--suffix", SUFFIX).out


def test_a_stack_that_runs_is_not_moved(user: User) -> None:
    mark = user.mark()
    ran = user.run("apply", "--yes", "--suffix", SUFFIX, "--set", "edge.vpc_origin=false")

    assert ran.code != 0
    assert "Scheme can only be set on a new one; for minutes nobody would answer; bring up a second" in ran.err
    assert user.acts(mark) == []


@pytest.mark.slow
def test_a_key_that_a_person_disabled_or_ended_is_called_back_by_a_person(user: User) -> None:
    kms, key = aws(user, "kms"), key_of(user)["Arn"]
    kms.disable_key(KeyId=key)
    disabled = user.run("apply", "--yes", "--suffix", SUFFIX)
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=30)
    ended = user.run("apply", "--yes", "--suffix", SUFFIX)
    told = user.run("doctor", "--all", "--suffix", SUFFIX, "--region", REGION).out
    kms.cancel_key_deletion(KeyId=key)
    kms.enable_key(KeyId=key)

    assert f"aws kms enable-key --key-id {key} --region {REGION}" in disabled.err
    assert f"aws kms cancel-key-deletion --key-id {key}" in ended.err
    for ran in (disabled, ended):
        assert "Run that command, wait until it has come to its end, then run this one again." in ran.err
        assert "Set it back to what it was" not in ran.err
    [told] = [part for part in told.split("\n\n") if part.startswith("resources/")]
    call_back = f"aws kms cancel-key-deletion --key-id {key} --region {REGION}"
    assert told.split("Type: ")[1].startswith(f"{call_back} && aws kms enable-key")


def recovery_points(user: User) -> list[dict[str, str]]:
    table = f"arn:aws:dynamodb:{REGION}:123456789012:table/ml-api-sessions-{SUFFIX}"
    listed = aws(user, "backup").list_recovery_points_by_resource(ResourceArn=table)["RecoveryPoints"]
    return [{key: one[key] for key in ("BackupVaultName", "RecoveryPointArn")} for one in listed]


@pytest.mark.slow
def test_it_is_named_while_a_backup_needs_it_and_ends_when_none_does(user: User) -> None:
    keys = {region: key_of(user, region)["Arn"] for region in (REGION, GLOBAL)}
    backup, dynamodb = aws(user, "backup"), aws(user, "dynamodb")
    table = dynamodb.describe_table(TableName=f"ml-api-sessions-{SUFFIX}")["Table"]["TableArn"]
    for name, under in (("mine", {"EncryptionKeyArn": keys[REGION]}), ("other", {})):
        backup.create_backup_vault(BackupVaultName=name, **under)
        role = "arn:aws:iam::123456789012:role/backup"
        backup.start_backup_job(BackupVaultName=name, ResourceArn=table, IamRoleArn=role)

    ran = user.teardown(SUFFIX, "--unprotect")

    assert f"Kept: the key {keys[REGION]} for the sake of the snapshot ml-api-aurora-prod-final-" in ran.err
    assert "the backup ml-api-sessions-prod$DeletedTableBackup" in ran.err
    assert "in the vault mine" in ran.err
    assert "in the vault other" not in ran.err
    end = f"aws kms schedule-key-deletion --key-id {keys[REGION]} --region {REGION}"
    assert f", 1.00 USD a month until `{end}`." in ran.err
    assert f"Left alone: {keys[GLOBAL]} (it is gone, and AWS still tells of it, until " in ran.err
    assert aws(user, "cloudfront").list_vpc_origins()["VpcOriginList"].get("Items", []) == []
    assert GROUP not in str(aws(user, "ec2").describe_security_groups()["SecurityGroups"])
    states = [key_of(user, region)["KeyState"] for region in (REGION, GLOBAL)]
    assert states == ["Enabled", "PendingDeletion"]
    assert user.well("verify-gone", "--suffix", SUFFIX, "--region", REGION).code == 0


@pytest.mark.slow
def test_once_the_backups_are_gone_the_same_command_ends_it_and_a_new_stack_has_a_new_one(user: User) -> None:
    user.run("teardown", "--yes", "--suffix", SUFFIX, "--unprotect")  # where the test before has not
    former = key_of(user)["Arn"]
    rds, dynamodb = aws(user, "rds"), aws(user, "dynamodb")
    for one in rds.describe_db_cluster_snapshots()["DBClusterSnapshots"]:
        rds.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=one["DBClusterSnapshotIdentifier"])
    for one in dynamodb.list_backups(BackupType="ALL")["BackupSummaries"]:
        dynamodb.delete_backup(BackupArn=one["BackupArn"])
    for one in recovery_points(user):
        aws(user, "backup").delete_recovery_point(**one)
    told = user.run("verify-gone", "--suffix", SUFFIX, "--region", REGION)

    assert told.code != 0
    assert former in told.err
    user.teardown(SUFFIX, "--region", REGION)
    assert key_of(user)["KeyState"] == "PendingDeletion"


@pytest.mark.slow
def test_a_running_stack_comes_under_a_key_and_out_of_it_while_its_database_stays(
    served: LocalAws, tmp_path: Path
) -> None:
    user = User.before(served, tmp_path)
    user.apply("a")
    own = ("--set", "encryption.key=own", "--set", "encryption.database=false")

    refused = user.run("apply", "--yes", "--suffix", "a", *own[:2])
    user.apply("a", *own)
    key = key_of(user, GLOBAL)["Arn"]
    groups = aws(user, "logs", GLOBAL).describe_log_groups()["logGroups"]
    under = {group["kmsKeyId"] for group in groups}
    user.apply("a")
    groups = aws(user, "logs", GLOBAL).describe_log_groups()["logGroups"]
    table = aws(user, "dynamodb", GLOBAL).describe_table(TableName="ml-api-sessions-a")["Table"]

    assert "encryption.database" in refused.err
    assert under == {key}
    assert not any("kmsKeyId" in group for group in groups)
    assert "SSEDescription" not in table
    # What was logged under it can be read with it alone.
    assert key_of(user, GLOBAL)["KeyState"] == "Enabled"
    user.teardown("a")
    assert key_of(user, GLOBAL)["KeyState"] == "PendingDeletion"
    user.apply("a", "--set", "encryption.key=own")
    kms = aws(user, "kms", GLOBAL)
    [alias] = [one for one in kms.list_aliases()["Aliases"] if one["AliasName"] == "alias/ml-api-key-a"]
    assert alias["TargetKeyId"] != key.rsplit("/", 1)[1]


@pytest.mark.slow
def test_it_ends_without_its_ledger_and_without_being_told_its_settings(served: LocalAws, tmp_path: Path) -> None:
    user = User.before(served, tmp_path)
    user.apply("a", "--set", "encryption.key=own", "--set", "edge.vpc_origin=true")
    key = key_of(user, GLOBAL)["Arn"]
    user.ledger("a").unlink()

    ran = user.teardown("a", "--unprotect")

    assert f"Kept: the key {key}" in ran.err
    assert aws(user, "elbv2", GLOBAL).describe_load_balancers()["LoadBalancers"] == []
    assert aws(user, "cloudfront").list_vpc_origins()["VpcOriginList"].get("Items", []) == []
    assert GROUP not in str(aws(user, "ec2", GLOBAL).describe_security_groups()["SecurityGroups"])
