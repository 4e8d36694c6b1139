"""ECS Exec and Session Manager, which moto lacks: sessions are opened, but their streams lead nowhere.

Sources: ECS developer guide, ECS Exec; botocore ServiceModel, for codes and shapes.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from provisioner.emulator.ecs.model import Task, all_tasks
from provisioner.emulator.ecs.views import is_open, runtime_of
from provisioner.emulator.errors import AwsError, Reply
from provisioner.emulator.hooks import always
from provisioner.emulator.patches.ecs_clusters import cluster_arn
from provisioner.emulator.wire import Call

when_entered: list[Callable[[Task, str], None]] = []  # called with each task and command
_OFF = (
    "The execute command failed because execute command was not enabled when the task was run or the execute"
    " command agent isn't running. Wait and try again or run a new task with execute command enabled and try"
    " again."
)


def _session(call: Call, id_: str) -> dict[str, str]:
    """Return the id, stream URL and token of a new session.

    The URL points to the emulator, so that nothing of a local run leaves the machine.
    """
    host = call.environ["HTTP_HOST"]
    return {"id": id_, "url": f"ws://{host}/_embedded/session/{id_}", "token": secrets.token_urlsafe(48)}


@always.before("ecs", "ExecuteCommand")
def execute(call: Call) -> Reply | None:
    """Open a session with a running task that has ECS Exec enabled."""
    params = call.params
    cluster = cluster_arn(call, active=True)
    name = params["task"].rpartition("/")[2]
    matching = [t for t in all_tasks(call.place) if t.cluster == cluster and t.id == name]
    if not matching:
        raise AwsError("InvalidParameterException", "The referenced task was not found.")
    (task,) = matching
    if not params["interactive"]:
        raise AwsError("InvalidParameterException", "Interactive is the only mode supported currently.")
    if task.status != "RUNNING" or not is_open(task):
        raise AwsError("InvalidParameterException", _OFF)
    for tell in when_entered:
        tell(task, params["command"])
    session = _session(call, f"ecs-execute-command-{secrets.token_hex(8)}")
    container = params.get("container") or task.definition["containerDefinitions"][0]["name"]
    return {
        "clusterArn": cluster,
        "taskArn": task.arn,
        "containerArn": f"{task.arn.replace(':task/', ':container/')}/{container}",
        "containerName": container,
        "interactive": True,
        "session": {"sessionId": session["id"], "streamUrl": session["url"], "tokenValue": session["token"]},
    }


@always.before("ssm", "StartSession")
def start(call: Call) -> Reply | None:
    """Open a Session Manager session with a container whose ECS Exec agent runs."""
    target: str = call.params["Target"]
    tasks = {f"{t.cluster.rpartition('/')[2]}_{t.id}_{runtime_of(t)}": t for t in all_tasks(call.place)}
    task = tasks.get(target.removeprefix("ecs:"))
    if task is None or task.status != "RUNNING" or not is_open(task):
        raise AwsError("TargetNotConnected", f"{target} is not connected.")
    session = _session(call, f"provisioner-{secrets.token_hex(8)}")
    return {"SessionId": session["id"], "StreamUrl": session["url"], "TokenValue": session["token"]}
