"""What breaks at the services: room, logs, tasks that stop, deployments that do not arrive."""

from __future__ import annotations

from typing import Any

from provisioner.emulator.ecs import scheduler
from provisioner.emulator.ecs.journal import write_last_lines
from provisioner.emulator.ecs.life import mark_stopped
from tests.support import image_registry
from tests.support.breakages.deed import Act, Break, service
from tests.support.live_stack import LiveStack
from tests.support.manual_changes import CLUSTER, SCALING, SERVICE, TASKS_LOG

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop:1"
THERE = {"cluster": CLUSTER, "service": SERVICE}


def push(live_stack: LiveStack) -> None:
    """Push the image that the tasks run."""
    image_registry.push(live_stack.aws("ecr"), "shop", "1")


def _expire_image(live_stack: LiveStack) -> None:
    """A lifecycle rule of the repository takes what is in use."""
    live_stack.aws("ecr").batch_delete_image(repositoryName="shop", imageIds=[{"imageTag": "1"}])


def _archive_image(live_stack: LiveStack) -> None:
    """A lifecycle rule of the repository archives what nobody pulled for long."""
    _store(live_stack, "ARCHIVE")


def _store(live_stack: LiveStack, storage: str) -> None:
    live_stack.aws("ecr").update_image_storage_class(
        repositoryName="shop", imageId={"imageTag": "1"}, targetStorageClass=storage
    )


def _begin_to_restore(live_stack: LiveStack) -> None:
    """Somebody has asked for its restoring, which takes minutes."""
    _store(live_stack, "ARCHIVE")
    live_stack.desk.slow(1.0)
    _store(live_stack, "STANDARD")
    live_stack.desk.slow(0.0)


def say(text: str) -> Act:
    """Let ECS say something of the service."""
    return lambda live_stack: service(live_stack).add_event(text)


def _steady(live_stack: LiveStack) -> None:
    service(live_stack).add_event("has reached a steady state.")


def _fail(live_stack: LiveStack) -> None:
    """One task ends by itself, with its last words."""
    task = service(live_stack).live[0]
    task.exit_code = 137
    task.container_reason = "OutOfMemoryError: Container killed due to memory usage"
    write_last_lines(task, 137)
    mark_stopped(task, "EssentialContainerExited", "Essential container in task exited")


def _an_hour_later(live_stack: LiveStack) -> None:
    """ECS tells no more of the tasks that stopped, and has started others in their place."""
    one = service(live_stack)
    one.tasks = one.live
    scheduler.settle(one)


def _drain(live_stack: LiveStack) -> None:
    service(live_stack).status = "DRAINING"


def _drained(live_stack: LiveStack) -> None:
    scheduler.delete(service(live_stack))


def _starting(live_stack: LiveStack) -> None:
    service(live_stack).live[0].status = "PENDING"


def _started(live_stack: LiveStack) -> None:
    for task in service(live_stack).live:
        task.status = "RUNNING"


def _ship_what_ends(live_stack: LiveStack) -> None:
    """Somebody ships a revision whose container ends by itself, and ECS has none to go back to."""
    service(live_stack).last_good = None
    ecs, now = live_stack.aws("ecs"), live_stack.task
    members = ecs.meta.service_model.operation_model("RegisterTaskDefinition").input_shape.members
    wanted: dict[str, Any] = {key: value for key, value in now.items() if key in members}
    wanted["containerDefinitions"][0]["environment"].append({"name": "EXIT", "value": "3"})
    made = ecs.register_task_definition(**wanted)
    ecs.update_service(**THERE, taskDefinition=made["taskDefinition"]["taskDefinitionArn"])


def _ship_what_ran(live_stack: LiveStack) -> None:
    listed = live_stack.aws("ecs").list_task_definitions(familyPrefix=live_stack.task["family"])["taskDefinitionArns"]
    live_stack.aws("ecs").update_service(**THERE, taskDefinition=listed[-2])


def _suspend(live_stack: LiveStack) -> None:
    off = {"DynamicScalingOutSuspended": True}
    live_stack.aws("application-autoscaling").register_scalable_target(**SCALING, SuspendedState=off)


def _delete_an_alarm(live_stack: LiveStack) -> None:
    cloudwatch = live_stack.aws("cloudwatch")
    listed = cloudwatch.describe_alarms(AlarmNamePrefix=f"TargetTracking-{SCALING['ResourceId']}-AlarmHigh")
    cloudwatch.delete_alarms(AlarmNames=[one["AlarmName"] for one in listed["MetricAlarms"]])


def _let_it_sleep(live_stack: LiveStack) -> None:
    live_stack.aws("application-autoscaling").register_scalable_target(**SCALING, MinCapacity=0)


def end_each_evening(live_stack: LiveStack, **limits: int) -> None:
    """A schedule made by hand that takes all tasks, or what else is given."""
    live_stack.aws("application-autoscaling").put_scheduled_action(
        **SCALING,
        ScheduledActionName="by-hand",
        Schedule="cron(0 20 * * ? *)",
        ScalableTargetAction=limits or {"MinCapacity": 0, "MaxCapacity": 0},
    )


def end_no_more(live_stack: LiveStack) -> None:
    """Take that schedule away."""
    live_stack.aws("application-autoscaling").delete_scheduled_action(**SCALING, ScheduledActionName="by-hand")


def _without_room(why: str, type_: str, turn: int) -> Break:
    said = f"was unable to place a task. Reason: {why}."
    return Break("placement", "task-without-room", say(said), why, type_, meanwhile=_steady, turn=turn)


BREAKS = (
    Break("service", "service-not-active", _drain, "is DRAINING", meanwhile=_drained, turn=0),
    Break(
        "service",
        "service-wants-none",
        lambda live_stack: live_stack.aws("ecs").update_service(**THERE, desiredCount=0),
        "has a desired count of 0",
        "aws ecs update-service",
        also={"targets-absent"},
        turn=0,
    ),
    _without_room("You've reached the limit on the number of vCPUs", "--quota-code L-3032A538", turn=2),
    _without_room("RESOURCE:ENI", "--quota-code L-DF5E4CA3", turn=0),
    _without_room("Capacity is unavailable at this time", "apply --set service.fargate_weight=100", turn=0),
    Break(
        "image",
        "image-absent",
        _expire_image,
        f"There is no image {IMAGE}",
        "aws ecr describe-images --repository-name shop --region eu-west-1",
        afterwards=push,
    ),
    Break(
        "image",
        "image-archived",
        _archive_image,
        f"The image {IMAGE} is archived in ECR",
        "aws ecr update-image-storage-class --repository-name shop --region eu-west-1 --image-id imageTag=1",
        turn=0,
    ),
    Break(
        "image",
        "image-activating",
        _begin_to_restore,
        f"The image {IMAGE} is being restored in ECR",
        "aws ecr describe-images --repository-name shop --region eu-west-1 --image-ids imageTag=1",
        afterwards=push,
        turn=0,
    ),
    Break(
        "log-group",
        "log-group-absent",
        lambda live_stack: live_stack.aws("logs").delete_log_group(logGroupName=TASKS_LOG),
        f"log group {TASKS_LOG} of the container",
    ),
    Break("scaling", "scaling-suspended", _suspend, "is suspended (scaling out)"),
    Break("scaling-alarms", "scaling-alarms-lost", _delete_an_alarm, "is without its AlarmHigh"),
    Break(
        "scaling-from-0",
        "nothing-wakes-service",
        _let_it_sleep,
        "which is not what its settings say, and stays there",
    ),
    Break(
        "schedules",
        "schedule-ends-service",
        end_each_evening,
        "scheduled action by-hand, cron(0 20 * * ? *): minimum 0, maximum 0",
        "delete-scheduled-action --service-namespace ecs",
        afterwards=end_no_more,
    ),
    Break(
        "stopped",
        "tasks-stop",
        _fail,
        "ended with exit code 137: OutOfMemoryError",
        "logs --since 1h",
        also={"tasks-missing"},
        meanwhile=_an_hour_later,
        turn=2,
    ),
    Break(
        "deployment",
        "deployment-failed",
        _ship_what_ends,
        "did not complete: FAILED",
        "releases",
        also={"tasks-stop"},
        meanwhile=_ship_what_ran,
        turn=0,
    ),
    Break(
        "running",
        "tasks-missing",
        _starting,
        "of 2 tasks of ml-api-service-prod run",
        "status",
        meanwhile=_started,
        turn=2,
    ),
)
