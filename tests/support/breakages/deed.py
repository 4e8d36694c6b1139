"""A deed that breaks a standing stack in one place, and how `doctor` is to tell it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from provisioner.emulator.behaviours import lag
from provisioner.emulator.ecs.model import services
from provisioner.emulator.moto_bridge import backend
from tests.support.live_stack import ACCOUNT, SUFFIX, LiveStack

Act = Callable[[LiveStack], Any]


def nothing(_: LiveStack) -> None:
    """Leave all as it is."""


@dataclass(frozen=True)
class Break:
    """What is done, and what is told of it: the check, the finding's name, some words, what to type.

    `also` are the findings that follow from the same deed, and `hides` the checks that cannot be made then.
    `meanwhile` is what AWS does by itself before anything is typed, or a person who has only been told where
    to look; `afterwards` what the finding's reason adds to what was typed. Breaks of one `turn` are made
    together; of turn 0, each alone. What a `lasting` one leaves, though mended, breaks others: it comes last.
    """

    check: str
    finding: str
    act: Act
    says: str
    type: str = f"apply --suffix {SUFFIX}"
    also: set[str] = field(default_factory=set)
    hides: set[str] = field(default_factory=set)
    meanwhile: Act = nothing
    afterwards: Act = nothing
    turn: int = 1
    lasting: bool = False


def state(live_stack: LiveStack, service: str) -> Any:
    """What the local AWS itself holds of a service, where the stack is."""
    return backend(service, ACCOUNT, live_stack.region)


def service(live_stack: LiveStack) -> Any:
    """The local AWS's own idea of the ECS service."""
    return services.at(ACCOUNT, live_stack.region)[live_stack.service["serviceArn"]]


def insist(act: Callable[[], Any]) -> Any:
    """Act though AWS still hides what was just made."""
    for _ in range(lag.MISSES + lag.USES):
        with contextlib.suppress(ClientError):
            return act()
    return act()


def rules(live_stack: LiveStack, group: str, *, out: bool) -> dict[str, Any]:
    """The group of a logical name, with all its rules on one side."""
    ec2 = live_stack.aws("ec2")
    [found] = ec2.describe_security_groups(GroupIds=[live_stack.group(group)])["SecurityGroups"]
    side = "IpPermissionsEgress" if out else "IpPermissions"
    return {"GroupId": found["GroupId"], "IpPermissions": found[side]}


def close_in(group: str) -> Act:
    """Take all rules for what comes into a group."""
    return lambda live_stack: live_stack.aws("ec2").revoke_security_group_ingress(**rules(live_stack, group, out=False))


def close_out(group: str, port: int = 0) -> Act:
    """Take the rules for what goes out of a group, or those of them for a port."""

    def close(live_stack: LiveStack) -> None:
        found = rules(live_stack, group, out=True)
        taken = [one for one in found["IpPermissions"] if not port or one["FromPort"] == port]
        live_stack.aws("ec2").revoke_security_group_egress(GroupId=found["GroupId"], IpPermissions=taken)

    return close
