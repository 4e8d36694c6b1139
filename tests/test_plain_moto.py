"""An AWS behind AWS_ENDPOINT_URL that is not ours: what it lacks stands in nobody's way at the end."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from provisioner.answers import UnknownCall
from provisioner.engine.target import read
from provisioner.kinds.vpc_origin import VpcOrigin


def test_an_aws_of_ones_own_that_knows_no_vpc_origins_holds_none() -> None:
    def list_vpc_origins() -> None:
        raise UnknownCall

    cloudfront = SimpleNamespace(list_vpc_origins=list_vpc_origins)
    it = SimpleNamespace(id="", props={"Name": "ml-api-origin-prod"}, shunned=())
    target = SimpleNamespace(kind=VpcOrigin(), it=it, region="us-east-1")

    assert read(cast(Any, SimpleNamespace(client=lambda *_: cloudfront)), cast(Any, target)) is None
