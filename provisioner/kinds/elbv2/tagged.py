"""What all load-balancing resources share: tags by ARN, and codes for what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from provisioner.engine.kind import Item, Kind
from provisioner.engine.refs import Doc
from provisioner.engine.traits import calling, codes
from provisioner.kinds.tags import mapping, pairs
from provisioner.kinds.together import asked

NO_BALANCER = codes("LoadBalancerNotFound")
NO_GROUP = codes("TargetGroupNotFound")
NO_LISTENER = codes("ListenerNotFound")
NO_RULE = codes("RuleNotFound")
# The member by which a group that is declared tells to which one ECS leads its requests now.
STANDS_IN = "StandsIn"
_MISSING = NO_BALANCER | NO_GROUP | NO_LISTENER | NO_RULE
_TAGGED = ("LoadBalancer", "TargetGroup", "Listener", "ListenerRule")
# botocore elbv2 DescribeTags, DescribeLoadBalancers: so many in one call.
MOST = 20


class Elb(Kind):
    """What is tagged by its ARN, and read without its tags."""

    service = "elbv2"
    key: ClassVar[str]
    calls = calling(retag="AddTags RemoveTags")

    def retag(self, elbv2: Any, it: Item, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """AddTags, RemoveTags."""
        if put:
            elbv2.add_tags(ResourceArns=[it.id], Tags=pairs(put))
        if gone := list(drop):
            elbv2.remove_tags(ResourceArns=[it.id], TagKeys=gone)

    def stand_ins(self, doc: Doc) -> Mapping[str, str]:
        """The group to which ECS leads the requests of another, where it does."""
        return dict(doc.get(STANDS_IN, {}))

    def with_tags(self, elbv2: Any, doc: Doc) -> Doc:
        """The document and its resource's tags."""
        own = doc[self.key]

        def ask(arns: list[str]) -> list[Doc]:
            return list(elbv2.describe_tags(ResourceArns=arns)["TagDescriptions"])

        told = asked(elbv2.peers.together(own, *_TAGGED, most=MOST), own, ask, _MISSING)
        mine = (one["Tags"] for one in told if one["ResourceArn"] == own)
        return {**doc, "Tags": mapping(next(mine, []))}


def full_name(doc: Doc, key: str) -> str:
    """`app/<name>/<id>` or `targetgroup/<name>/<id>`: how CloudWatch and autoscaling call them."""
    return str(doc[key]).split(":", 5)[5].removeprefix("loadbalancer/")
