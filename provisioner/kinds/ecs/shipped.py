"""The image that `deploy` shipped: it says so by a tag on the service, which outlives any state file."""

from __future__ import annotations

from collections.abc import Mapping

from botocore.exceptions import ClientError

from provisioner.engine.clients import Clients
from provisioner.engine.faults import code_of
from provisioner.kinds.ecs.service import described
from provisioner.kinds.ecs.tagged import NO_CLUSTER
from provisioner.kinds.tags import mapping
from provisioner.names import IMAGE_OWNER

DEPLOY = "deploy"
# What a service bears while its image is `deploy`'s.
MARK: Mapping[str, str] = {IMAGE_OWNER: DEPLOY}


def shipped_image(clients: Clients, cluster: str, service: str) -> str:
    """The image that a service (by name or ARN) runs because it was shipped; "" where it is as it was set."""
    ecs = clients.client("ecs")
    try:
        listed = described(ecs, service, cluster)
    except ClientError as error:
        if code_of(error) in NO_CLUSTER:
            return ""
        raise
    mine = (one for one in listed if service in (one["serviceArn"], one["serviceName"]))
    doc = next((one for one in mine if one["status"] == "ACTIVE"), None)
    if doc is None or mapping(doc.get("tags", [])).get(IMAGE_OWNER) != DEPLOY:
        return ""
    running = ecs.describe_task_definition(taskDefinition=doc["taskDefinition"], include=["TAGS"])
    return str(running["taskDefinition"]["containerDefinitions"][0]["image"])
