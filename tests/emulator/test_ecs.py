"""ECS in the box: clusters, services and the tasks that follow them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from botocore.exceptions import ClientError

from provisioner.emulator.clock import clock
from provisioner.emulator.ecs import start_failures
from provisioner.emulator.ecs.start_failures import StartFailure
from tests.emulator.conftest import Client, code_of
from tests.emulator.places import behind_balancer, breaker, definition, network, service, through


def seen(aws: Client, **given: Any) -> Any:
    return aws("ecs").describe_services(cluster="c", services=["s"], **given)["services"][0]


def tasks(aws: Client, wanted: str = "RUNNING") -> list[Any]:
    found = aws("ecs").list_tasks(cluster="c", serviceName="s", desiredStatus=wanted)["taskArns"]
    return list(aws("ecs").describe_tasks(cluster="c", tasks=found)["tasks"]) if found else []


def rollout(aws: Client) -> Any:
    arn = aws("ecs").list_service_deployments(cluster="c", service="s")["serviceDeployments"][0]
    found = aws("ecs").describe_service_deployments(serviceDeploymentArns=[arn["serviceDeploymentArn"]])
    return found["serviceDeployments"][0]


def test_the_same_cluster_again_is_the_same(aws: Client) -> None:
    params: dict[str, Any] = {
        "clusterName": "c",
        "settings": [{"name": "containerInsights", "value": "enabled"}],
    }
    one = aws("ecs").create_cluster(**params, tags=[{"key": "k", "value": "v"}])["cluster"]
    assert aws("ecs").create_cluster(**params)["cluster"]["clusterArn"] == one["clusterArn"]
    other = [{"name": "containerInsights", "value": "disabled"}]
    with pytest.raises(ClientError, match="inconsistent with arguments used in previous") as caught:
        aws("ecs").create_cluster(clusterName="c", settings=other)
    assert code_of(caught) == "InvalidParameterException"
    kept = aws("ecs").describe_clusters(clusters=["c"], include=["SETTINGS", "TAGS"])["clusters"][0]
    assert kept["settings"] == params["settings"]
    assert kept["tags"]


def test_a_service_reads_as_it_was_asked_for(aws: Client) -> None:
    strategy = [
        {"capacityProvider": "FARGATE", "base": 1, "weight": 1},
        {"capacityProvider": "FARGATE_SPOT", "weight": 3},
    ]
    asked: dict[str, Any] = {
        "capacityProviderStrategy": strategy,
        "enableExecuteCommand": True,
        "enableECSManagedTags": True,
        "healthCheckGracePeriodSeconds": 60,
        "availabilityZoneRebalancing": "DISABLED",
        **breaker(rollback=True),
    }
    place = network(aws)
    aws("ecs").create_cluster(clusterName="c", capacityProviders=["FARGATE", "FARGATE_SPOT"])
    vpc = {"subnets": place.subnets, "securityGroups": [place.group], "assignPublicIp": "ENABLED"}
    made = aws("ecs").create_service(
        cluster="c",
        serviceName="s",
        desiredCount=5,
        taskDefinition=definition(aws),
        networkConfiguration={"awsvpcConfiguration": vpc},
        tags=[{"key": "k", "value": "v"}],
        **asked,
    )["service"]
    for told in (made, seen(aws)):
        assert {key: told[key] for key in asked if key != "deploymentConfiguration"} == {
            key: value for key, value in asked.items() if key != "deploymentConfiguration"
        }
        assert told["deploymentConfiguration"]["deploymentCircuitBreaker"]["rollback"] is True
        assert told["deploymentConfiguration"]["maximumPercent"] == 200
        assert "launchType" not in told
        assert told["createdAt"]
    assert "tags" not in seen(aws)
    assert seen(aws, include=["TAGS"])["tags"] == [{"key": "k", "value": "v"}]
    placed = Counter(task["capacityProviderName"] for task in tasks(aws))
    assert placed == {"FARGATE": 2, "FARGATE_SPOT": 3}


def test_tasks_follow_the_service(aws: Client) -> None:
    made = service(aws, network(aws))
    assert (made["runningCount"], made["pendingCount"]) == (0, 2)
    assert made["deployments"][0]["rolloutState"] == "IN_PROGRESS"
    assert (seen(aws)["runningCount"], seen(aws)["pendingCount"]) == (2, 0)
    assert [d["rolloutState"] for d in seen(aws)["deployments"]] == ["COMPLETED"]
    assert rollout(aws)["status"] == "SUCCESSFUL"
    assert seen(aws)["currentServiceDeployment"] == rollout(aws)["serviceDeploymentArn"]
    aws("ecs").update_service(cluster="c", service="s", desiredCount=1)
    assert len(tasks(aws)) == 1
    assert seen(aws)["runningCount"] == 1
    cluster = aws("ecs").describe_clusters(clusters=["c"])["clusters"][0]
    assert (cluster["activeServicesCount"], cluster["runningTasksCount"]) == (1, 1)
    assert {t["lastStatus"] for t in tasks(aws, "STOPPED")} == {"STOPPED"}


def test_tasks_are_targets_and_interfaces(aws: Client) -> None:
    place = network(aws)
    group = behind_balancer(aws, place)
    service(aws, place, **through(group))
    health = aws("elbv2").describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    assert [target["TargetHealth"]["State"] for target in health] == ["healthy", "healthy"]
    mine = [{"Name": "group-id", "Values": [place.group]}]
    assert len(aws("ec2").describe_network_interfaces(Filters=mine)["NetworkInterfaces"]) == 2
    aws("ecs").delete_service(cluster="c", service="s", force=True)
    assert seen(aws)["status"] == "INACTIVE"
    assert aws("elbv2").describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"] == []
    assert aws("ec2").describe_network_interfaces(Filters=mine)["NetworkInterfaces"] == []


def test_a_service_is_made_once(aws: Client) -> None:
    place = network(aws)
    arn = definition(aws)
    one = service(aws, place, clientToken="t", taskDefinition=arn)
    again = service(aws, place, clientToken="t", taskDefinition=arn, desiredCount=7)
    assert again["serviceArn"] == one["serviceArn"]
    assert again["desiredCount"] == 2
    for token in ({"clientToken": "u"}, {}):
        with pytest.raises(ClientError, match="Creation of service was not idempotent") as caught:
            service(aws, place, taskDefinition=arn, **token)
        assert code_of(caught) == "InvalidParameterException"


def test_an_update_rolls_out(aws: Client) -> None:
    service(aws, network(aws))
    seen(aws)
    new = definition(aws, image="web:2")
    told = aws("ecs").update_service(cluster="c", service="s", taskDefinition=new)["service"]
    assert [d["status"] for d in told["deployments"]] == ["PRIMARY", "ACTIVE"]
    assert seen(aws)["taskDefinition"] == new
    assert [d["taskDefinition"] for d in seen(aws)["deployments"]] == [new]
    assert {task["taskDefinitionArn"] for task in tasks(aws)} == {new}
    assert len(aws("ecs").list_service_deployments(cluster="c", service="s")["serviceDeployments"]) == 2


BASE = [
    {"capacityProvider": "FARGATE", "base": 2, "weight": 1},
    {"capacityProvider": "FARGATE_SPOT", "weight": 9},
]


def test_another_strategy_wants_a_deployment_that_is_forced(aws: Client) -> None:
    service(aws, network(aws))
    seen(aws)
    strategy = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
    update = {"cluster": "c", "service": "s", "capacityProviderStrategy": strategy}
    for more in ({}, {"taskDefinition": definition(aws)}):
        with pytest.raises(ClientError, match="you must force a new deployment"):
            aws("ecs").update_service(**update, **more)
    forced = aws("ecs").update_service(**update, forceNewDeployment=True)["service"]
    assert len(forced["deployments"]) == 2
    aws("ecs").update_service(**update)  # as it is already


def test_each_deployment_has_a_base_of_its_own(aws: Client) -> None:
    service(aws, network(aws))
    aws("ecs").update_service(cluster="c", service="s", capacityProviderStrategy=BASE, forceNewDeployment=True)
    seen(aws)
    for _ in range(2):
        aws("ecs").update_service(cluster="c", service="s", forceNewDeployment=True)
        seen(aws)
        assert {task["capacityProviderName"] for task in tasks(aws)} == {"FARGATE"}


def test_a_bad_image_rolls_back(aws: Client) -> None:
    service(aws, network(aws), **breaker(rollback=True))
    good = seen(aws)["taskDefinition"]
    bad = definition(aws, image="web:does-not-exist")
    aws("ecs").update_service(cluster="c", service="s", taskDefinition=bad)
    after = seen(aws)
    assert after["taskDefinition"] == good
    assert after["runningCount"] == 2
    assert [d["taskDefinition"] for d in after["deployments"]] == [good]
    told = rollout(aws)
    assert told["status"] == "ROLLBACK_SUCCESSFUL"
    assert told["deploymentCircuitBreaker"] == {"status": "TRIGGERED", "failureCount": 3, "threshold": 3}
    stopped = [task for task in tasks(aws, "STOPPED") if task["taskDefinitionArn"] == bad]
    assert stopped[0]["stoppedReason"].startswith("CannotPullContainerError")
    assert stopped[0]["stopCode"] == "TaskFailedToStart"


def test_a_rollback_that_fails_as_well_is_told_and_not_tried_for_ever(
    aws: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    service(aws, network(aws), **breaker(rollback=True))
    good, ran = seen(aws)["taskDefinition"], {task["taskArn"] for task in tasks(aws)}
    monkeypatch.setattr(
        start_failures, "checks", [lambda _task: StartFailure("ResourceInitializationError: no secret")]
    )
    aws("ecs").update_service(cluster="c", service="s", taskDefinition=definition(aws), desiredCount=3)

    assert rollout(aws)["status"] == "ROLLBACK_FAILED"
    assert "The rollback failed as well" in rollout(aws)["statusReason"]
    assert seen(aws)["deployments"][0]["rolloutState"] == "FAILED"
    assert seen(aws)["taskDefinition"] == good
    assert {task["taskArn"] for task in tasks(aws)} == ran

    monkeypatch.undo()
    aws("ecs").update_service(cluster="c", service="s", forceNewDeployment=True)
    assert seen(aws)["runningCount"] == 3
    assert rollout(aws)["status"] == "SUCCESSFUL"


@pytest.mark.parametrize(("rollback", "status"), [(True, "ROLLBACK_FAILED"), (False, "STOPPED")])
def test_a_first_deployment_has_nothing_to_go_back_to(aws: Client, rollback: bool, status: str) -> None:
    bad = definition(aws, image="web:does-not-exist")
    service(aws, network(aws), taskDefinition=bad, **breaker(rollback=rollback))
    assert seen(aws)["deployments"][0]["rolloutState"] == "FAILED"
    assert (seen(aws)["status"], seen(aws)["runningCount"]) == ("ACTIVE", 0)
    assert rollout(aws)["status"] == status


@pytest.mark.parametrize(
    "container",
    [
        {"command": ["sh", "-c", "EXIT=3"]},
        {"environment": [{"name": "EXIT", "value": "3"}]},
    ],
)
def test_a_container_that_exits_is_told(aws: Client, container: dict[str, Any]) -> None:
    bad = definition(aws, **container)
    service(aws, network(aws), taskDefinition=bad, **breaker(rollback=False))
    assert seen(aws)["deployments"][0]["rolloutState"] == "FAILED"
    told = tasks(aws, "STOPPED")[0]
    assert told["stopCode"] == "EssentialContainerExited"
    assert told["containers"][0]["exitCode"] == 3


def test_a_port_nobody_serves_is_unhealthy(aws: Client) -> None:
    place = network(aws)
    group = behind_balancer(aws, place)
    aws("elbv2").modify_target_group(TargetGroupArn=group, HealthCheckPort="8080")
    service(aws, place, **through(group), **breaker(rollback=False))
    assert seen(aws)["deployments"][0]["rolloutState"] == "FAILED"
    assert "failed ELB health checks" in tasks(aws, "STOPPED")[0]["stoppedReason"]


def test_without_a_breaker_a_bad_service_tries_on(aws: Client) -> None:
    service(aws, network(aws), taskDefinition=definition(aws, image="web:does-not-exist"))
    assert seen(aws)["deployments"][0]["rolloutState"] == "IN_PROGRESS"
    assert seen(aws)["deployments"][0]["failedTasks"] >= 2


def test_however_many_tasks_cannot_run_the_box_has_time_for_others(
    aws: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    service(aws, network(aws), desiredCount=1)
    assert seen(aws)["runningCount"] == 1
    trouble = StartFailure("ResourceInitializationError: the log group is gone")
    monkeypatch.setattr(start_failures, "checks", [lambda _task: trouble])

    aws("ecs").update_service(cluster="c", service="s", desiredCount=5)
    for _ in range(3):
        clock.advance(60)
        assert seen(aws)["runningCount"] == 1

    assert len(tasks(aws, "STOPPED")) <= 4 * 4


def test_tasks_that_fall_ill_one_after_the_other_leave_the_box_time_for_others(aws: Client) -> None:
    place = network(aws)
    group = behind_balancer(aws, place)
    service(aws, place, **through(group), **breaker(rollback=True))
    well = tasks(aws)
    aws("elbv2").modify_target_group(TargetGroupArn=group, HealthCheckPort="8080")

    for task in well:
        aws("ecs").stop_task(cluster="c", task=task["taskArn"])
    for _ in range(3):
        clock.advance(60)
        assert seen(aws)["runningCount"] < len(well)

    assert len(tasks(aws, "STOPPED")) <= 4 * 4
    aws("elbv2").modify_target_group(TargetGroupArn=group, HealthCheckPort="traffic-port")
    clock.advance(60)
    assert seen(aws)["runningCount"] == len(well)


def test_a_deployment_can_be_stopped_by_hand(aws: Client) -> None:
    service(aws, network(aws))
    good = seen(aws)["taskDefinition"]
    bad = definition(aws, image="web:does-not-exist")
    aws("ecs").update_service(cluster="c", service="s", taskDefinition=bad)
    arn = rollout(aws)["serviceDeploymentArn"]
    aws("ecs").stop_service_deployment(serviceDeploymentArn=arn, stopType="ROLLBACK")
    assert rollout(aws)["status"] == "ROLLBACK_SUCCESSFUL"
    assert seen(aws)["taskDefinition"] == good
    with pytest.raises(ClientError) as caught:
        aws("ecs").stop_service_deployment(serviceDeploymentArn=arn)
    assert code_of(caught) == "ConflictException"


def test_a_revision_can_be_read(aws: Client) -> None:
    service(aws, network(aws))
    arn = rollout(aws)["targetServiceRevision"]["arn"]
    found = aws("ecs").describe_service_revisions(serviceRevisionArns=[arn])["serviceRevisions"][0]
    assert found["taskDefinition"] == seen(aws)["taskDefinition"]


def test_a_service_ends_with_all_that_hung_on_it(aws: Client) -> None:
    service(aws, network(aws), tags=[{"key": "k", "value": "v"}])
    target = {
        "ServiceNamespace": "ecs",
        "ResourceId": "service/c/s",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    scaling = aws("application-autoscaling")
    scaling.register_scalable_target(**target, MinCapacity=3, MaxCapacity=6)
    assert seen(aws)["desiredCount"] == 3
    with pytest.raises(ClientError, match="scaled above 0"):
        aws("ecs").delete_service(cluster="c", service="s")
    assert aws("ecs").delete_service(cluster="c", service="s", force=True)["service"]["status"] == "DRAINING"
    assert seen(aws)["status"] == "INACTIVE"
    assert scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"] == []
    assert aws("ecs").list_services(cluster="c")["serviceArns"] == []
    service(aws, network(aws))
    assert seen(aws)["status"] == "ACTIVE"
    with pytest.raises(ClientError) as caught:
        aws("ecs").update_service(cluster="c", service="none", desiredCount=1)
    assert code_of(caught) == "ServiceNotFoundException"


def test_what_never_was_is_missing(aws: Client) -> None:
    aws("ecs").create_cluster(clusterName="c")
    told = aws("ecs").describe_services(cluster="c", services=["none"])
    assert told["failures"][0]["reason"] == "MISSING"
    with pytest.raises(ClientError) as caught:
        aws("ecs").describe_services(cluster="none", services=["none"])
    assert code_of(caught) == "ClusterNotFoundException"


def test_a_task_by_itself_ends_with_its_code(aws: Client) -> None:
    place = network(aws)
    aws("ecs").create_cluster(clusterName="c")
    vpc = {"subnets": place.subnets, "securityGroups": [place.group]}
    run = {
        "cluster": "c",
        "taskDefinition": definition(aws),
        "networkConfiguration": {"awsvpcConfiguration": vpc},
    }
    for word, code in (([], 0), (["EXIT=4"], 4)):
        overrides = {"containerOverrides": [{"name": "web", "command": word}]}
        (made,) = aws("ecs").run_task(**run, launchType="FARGATE", overrides=overrides)["tasks"]
        assert made["lastStatus"] == "PROVISIONING"
        (told,) = aws("ecs").describe_tasks(cluster="c", tasks=[made["taskArn"]])["tasks"]
        assert told["lastStatus"] == "STOPPED"
        assert told["containers"][0]["exitCode"] == code


def test_a_stopped_task_is_replaced(aws: Client) -> None:
    service(aws, network(aws))
    seen(aws)
    gone = tasks(aws)[0]["taskArn"]
    aws("ecs").stop_task(cluster="c", task=gone, reason="chaos")
    assert gone not in [task["taskArn"] for task in tasks(aws)]
    assert seen(aws)["runningCount"] == 2


def test_container_insights_makes_its_log_group(aws: Client) -> None:
    insights = [{"name": "containerInsights", "value": "enhanced"}]
    aws("ecs").create_cluster(clusterName="d", settings=insights)
    service(aws, network(aws), cluster="d")
    groups = aws("logs").describe_log_groups()["logGroups"]
    assert [g["logGroupName"] for g in groups] == ["/aws/ecs/containerinsights/d/performance"]


def test_revisions_are_listed_by_number(aws: Client) -> None:
    for _ in range(11):
        definition(aws)
    listed = aws("ecs").list_task_definitions(familyPrefix="web", sort="DESC", maxResults=2)
    assert [arn.rpartition(":")[2] for arn in listed["taskDefinitionArns"]] == ["11", "10"]


def test_tags_of_a_definition_are_told(aws: Client) -> None:
    container = {"name": "web", "image": "web:1", "memory": 512}
    made = aws("ecs").register_task_definition(
        family="f", containerDefinitions=[container], tags=[{"key": "k", "value": "v"}]
    )
    assert made["tags"] == [{"key": "k", "value": "v"}]
