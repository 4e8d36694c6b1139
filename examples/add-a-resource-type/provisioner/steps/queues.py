"""The queue of jobs, and the queue for those that failed too often."""

from __future__ import annotations

from provisioner.engine.resource_graph.graph import ResourceHandle, Step
from provisioner.resources.sqs import Queue

_MAX_RECEIVES = 5
_TWO_WEEKS = 14 * 24 * 3600


def declare_queues(step: Step) -> ResourceHandle:
    """Declare both queues and return the queue of jobs; the reference in its redrive policy draws the edge."""
    dead_letters = step(Queue, "dead-letters", noun="dead-letters", Attributes={"MessageRetentionPeriod": _TWO_WEEKS})
    redrive = {"deadLetterTargetArn": dead_letters["QueueArn"], "maxReceiveCount": _MAX_RECEIVES}
    return step(Queue, "jobs", noun="jobs", Attributes={"VisibilityTimeout": 60, "RedrivePolicy": redrive})
