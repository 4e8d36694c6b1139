"""What somebody else hangs on ours stops a teardown at once, by name; it goes on when that is gone."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tests.stack.test_foreign_resources import ANYTHING, TRUST, at_ease, cluster
from tests.support.account_inventory import client
from tests.support.user import User

Aws = Callable[[str], Any]


def restored(aws: Aws) -> Callable[[], Any]:
    """A database from a snapshot, beside ours; how to be rid of it again."""
    rds = aws("rds")
    (ours,) = rds.describe_db_clusters()["DBClusters"]
    rds.create_db_cluster(
        DBClusterIdentifier="restored",
        Engine=ours["Engine"],
        MasterUsername="them",
        MasterUserPassword="not-ours-at-all",
        DBSubnetGroupName=ours["DBSubnetGroup"],
        VpcSecurityGroupIds=[one["VpcSecurityGroupId"] for one in ours["VpcSecurityGroups"]],
        DBClusterParameterGroupName=ours["DBClusterParameterGroup"],
        Tags=ours["TagList"],
    )
    return lambda: rds.delete_db_cluster(DBClusterIdentifier="restored", SkipFinalSnapshot=True)


def beside(aws: Aws) -> Callable[[], Any]:
    """A service in our cluster, in our subnets and group."""
    ecs = aws("ecs")
    (where,) = ecs.list_clusters()["clusterArns"]
    names = ecs.list_services(cluster=where)["serviceArns"]
    (ours,) = ecs.describe_services(cluster=where, services=names)["services"]
    asked = {key: ours[key] for key in ("networkConfiguration", "taskDefinition")}
    ecs.create_service(cluster=where, serviceName="theirs", launchType="FARGATE", desiredCount=1, **asked)
    return lambda: ecs.delete_service(cluster=where, service="theirs", force=True)


def profiled(aws: Aws) -> Callable[[], Any]:
    """An instance profile with a role of ours in it."""
    iam, both = aws("iam"), {"InstanceProfileName": "theirs", "RoleName": "ml-api-task-role-a"}
    iam.create_instance_profile(InstanceProfileName="theirs")
    iam.add_role_to_instance_profile(**both)
    return lambda: iam.remove_role_from_instance_profile(**both)


def bounded(aws: Aws) -> Callable[[], Any]:
    """A role that our boundary bounds."""
    iam = aws("iam")
    listed = iam.list_policies(Scope="Local")["Policies"]
    arn = next(one["Arn"] for one in listed if one["PolicyName"] == "ml-api-boundary-a")
    iam.create_role(RoleName="bounded", AssumeRolePolicyDocument=TRUST, PermissionsBoundary=arn)
    return lambda: iam.delete_role(RoleName="bounded")


def fronted(aws: Aws) -> Callable[[], Any]:
    """A distribution behind our web ACL."""
    cloudfront = aws("cloudfront")
    (ours,) = cloudfront.list_distributions()["DistributionList"]["Items"]
    config = cloudfront.get_distribution_config(Id=ours["Id"])["DistributionConfig"]
    config |= {"CallerReference": "theirs", "Enabled": False}
    made = cloudfront.create_distribution(DistributionConfig=config)
    return lambda: cloudfront.delete_distribution(Id=made["Distribution"]["Id"], IfMatch=made["ETag"])


def led(aws: Aws) -> Callable[[], Any]:
    """A rule of a balancer of theirs that sends to our group."""
    elbv2 = aws("elbv2")
    (group,) = elbv2.describe_target_groups()["TargetGroups"]
    (ours,) = elbv2.describe_load_balancers()["LoadBalancers"]
    subnets = [zone["SubnetId"] for zone in ours["AvailabilityZones"]]
    made = elbv2.create_load_balancer(Name="theirs", Subnets=subnets, SecurityGroups=ours["SecurityGroups"])
    arn = made["LoadBalancers"][0]["LoadBalancerArn"]
    forward = {"Type": "forward", "TargetGroupArn": group["TargetGroupArn"]}
    elbv2.create_listener(LoadBalancerArn=arn, Protocol="HTTP", Port=81, DefaultActions=[forward])
    return lambda: elbv2.delete_load_balancer(LoadBalancerArn=arn)


HELD = {
    restored: ("DBSubnetGroup", "the database restored"),
    beside: ("Cluster", "the service theirs"),
    profiled: ("Role", "the instance profile theirs"),
    fronted: ("WebACL", "the distribution "),
    led: ("TargetGroup", "the rule arn:"),
}


def test_what_holds_ours_is_named_at_once_and_the_teardown_goes_on_without_it(user: User) -> None:
    """A policy that was put on a role by hand goes with the role; the policy itself is theirs."""
    user.environment["MLAPI_PROFILE"] = "production"
    user.apply("a")
    with at_ease(user) as aws:
        rid = [make(aws) for make in HELD]
        policy = aws("iam").create_policy(PolicyName="theirs", PolicyDocument=ANYTHING)["Policy"]["Arn"]
        aws("iam").attach_role_policy(RoleName="ml-api-execution-role-a", PolicyArn=policy)
        aws("iam").put_role_policy(RoleName="ml-api-execution-role-a", PolicyName="debug", PolicyDocument=ANYTHING)

    ran = user.run("teardown", "--yes", "--unprotect", "--suffix", "a")

    assert ran.code == 4, ran.err
    for type_name, holder in HELD.values():
        told = [line for line in ran.err.splitlines() if f": {type_name} " in line and "is held by" in line]
        assert any(holder in line for line in told), (type_name, ran.err)
    with at_ease(user) as aws:
        for be_rid in rid:
            be_rid()
        be_rid = bounded(aws)
    ran = user.run("teardown", "--yes", "--suffix", "a")
    assert "Boundary ml-api-boundary-a is held by what is not this stack's: the role bounded" in ran.err
    with at_ease(user):
        be_rid()
    user.well("teardown", "--yes", "--suffix", "a")
    assert client(user.box.endpoint, "iam").get_policy(PolicyArn=policy)


def test_what_another_database_of_our_name_writes_is_not_swept_up(user: User) -> None:
    user.well("apply", "--yes", "--suffix", "a", "--target", "vpc")
    name, group = "ml-api-aurora-a", "/aws/rds/cluster/ml-api-aurora-a/upgrade"
    with at_ease(user) as aws:
        cluster(aws, name)
        aws("logs").create_log_group(logGroupName=group)

    ran = user.well("teardown", "--yes", "--suffix", "a")

    assert re.search(rf"Left alone: .*{name}", ran.err)
    left = client(user.box.endpoint, "logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert [one["logGroupName"] for one in left] == [group]


def test_what_is_a_part_of_what_goes_holds_nothing(user: User) -> None:
    """A listener that was put by hand on our own balancer goes with it, and what it leads to after that."""
    user.well("apply", "--yes", "--suffix", "a")
    with at_ease(user) as aws:
        elbv2 = aws("elbv2")
        (group,) = elbv2.describe_target_groups()["TargetGroups"]
        (ours,) = elbv2.describe_load_balancers()["LoadBalancers"]
        elbv2.create_listener(
            LoadBalancerArn=ours["LoadBalancerArn"],
            Protocol="HTTP",
            Port=8081,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": group["TargetGroupArn"]}],
        )

    assert "is held by" not in user.well("plan", "--destroy", "--suffix", "a").out
    user.well("teardown", "--yes", "--suffix", "a")
    assert client(user.box.endpoint, "elbv2").describe_target_groups()["TargetGroups"] == []
