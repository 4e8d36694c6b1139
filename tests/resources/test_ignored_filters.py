"""An emulator that does not know a filter answers with all there are: none of those is taken for ours."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from provisioner.engine.calls.batch_scope import BatchScope
from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.resources import RESOURCE_TYPES

OTHERS = {
    "SecurityGroup": ("describe_security_groups", "SecurityGroups", "GroupId"),
    "RouteTable": ("describe_route_tables", "RouteTables", "RouteTableId"),
    "Subnet": ("describe_subnets", "Subnets", "SubnetId"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_bears_another_id_is_not_what_was_asked_for(name: str) -> None:
    operation, where, key = OTHERS[name]
    every = [{key: "default-1", "Tags": []}, {key: "default-2", "Tags": []}]
    ec2: Any = SimpleNamespace(**{operation: lambda **_: {where: every}}, batch_scope=BatchScope())

    def read(id_: str) -> Any:
        return RESOURCE_TYPES[name].read(ec2, ResourceSpec("it", "ml-api-it-a", "a", {}, {}, id_))

    assert read("ours-1") is None
    assert read("default-2")[key] == "default-2"
