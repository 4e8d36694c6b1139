"""What all RDS resources share: tags by ARN, codes for what is missing, a fresh account's race."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from provisioner.engine.kind import Item, Kind
from provisioner.engine.refs import Doc
from provisioner.engine.traits import codes
from provisioner.kinds.tags import mapping, pairs
from provisioner.kinds.together import tags_told

# A filter's values in one request; where only one is looked at, it is asked for by its name.
MOST = 50
NO_CLUSTER = codes("DBClusterNotFoundFault")
NO_PARAMETERS = codes("DBParameterGroupNotFound", "DBClusterParameterGroupNotFound")
NO_SUBNETS = codes("DBSubnetGroupNotFoundFault")
# The first use of RDS in an account races the making of its service-linked role
# (terraform-aws-modules/terraform-aws-rds#364).
NEW_ACCOUNT = codes(
    "InvalidParameterValue: service linked role",
    "InvalidParameterValue: missing necessary credentials",
)
# A role that is seconds old, or has no policy yet (terraform-provider-aws rds/cluster.go, instance.go).
NEW_ROLE = codes("InvalidParameterValue: iam role arn value is invalid")


class Rds(Kind):
    """What is tagged by its ARN."""

    service = "rds"
    arn: str

    def with_tags(self, rds: Any, it: Item, doc: Doc) -> Doc:
        """The document and its resource's tags."""

        def ask() -> dict[str, str]:
            return mapping(rds.list_tags_for_resource(ResourceName=doc[self.arn])["TagList"])

        return {**doc, "Tags": tags_told(rds, it, doc[self.arn], ask)}

    def retag(self, rds: Any, it: Item, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """AddTagsToResource, RemoveTagsFromResource."""
        arn = (self.read(rds, it) or {})[self.arn]
        if put:
            rds.add_tags_to_resource(ResourceName=arn, Tags=pairs(put))
        if gone := list(drop):
            rds.remove_tags_from_resource(ResourceName=arn, TagKeys=gone)
