"""CloudFront: a distribution, which is disabled and deployed once more before it can be deleted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.kind import Kind, ResourceSpec
from provisioner.engine.owners import Owner
from provisioner.engine.refs import Doc
from provisioner.engine.refused import Holder, NotYet, Refusal, held_up
from provisioner.engine.states import States, words
from provisioner.engine.traits import calling, codes, minutes
from provisioner.errors import Blocked
from provisioner.kinds.members.edge import DISTRIBUTION
from provisioner.kinds.origin_key import shown, veiled_origins
from provisioner.kinds.pricing_plans import is_of_plan, keeps_acl, known_plan, plans_of, refused_for
from provisioner.kinds.tags import mapping, pairs
from provisioner.kinds.together import tags_told
from provisioner.names import ZONE_TAG

# The ETag is out of date: the retry reads it again.
_STALE = codes("PreconditionFailed", "InvalidIfMatchVersion")
# Where there is no such policy, AWS returns no id, and accepts none.
_HEADERS = "ResponseHeadersPolicyId"
# botocore DistributionConfig: each may be missing where there are none.
_NOWHERE_ELSE: Doc = {"CacheBehaviors": {"Items": []}, "OriginGroups": {"Items": []}}

# CloudFront developer guide, alternate-domain-names-move.
_TAKEN = (
    "Take the name from that distribution, which may be another account's, or leave it out of "
    "`domain.names`; then run the same command again. To move it while it serves: bring the stack up under "
    "another name, with a certificate for both, `aws cloudfront associate-alias` the name to it, then set it."
)


# The web ACLs that CloudFront creates for a plan, or from its console (AWS WAF developer guide).
_BY_CLOUDFRONT = "/webacl/CreatedByCloudFront-"


def is_of_aws(seen: Any, wanted: Any) -> bool:
    """Return whether an undeclared web ACL was put there by CloudFront itself or by Firewall Manager.

    Names: AWS WAF developer guide, CloudFront's security protections; cloud-custodian/cloud-custodian#7698.
    """
    names = (_BY_CLOUDFRONT, "/webacl/FMManagedWebACLV2-")
    return not wanted and any(name in str(seen) for name in names)


class Distribution(Kind):
    """A distribution; its properties are those of its DistributionConfig, lists without their Quantity."""

    service, key, named, noun = "cloudfront", "Id", "Comment", "edge"
    members = DISTRIBUTION
    ready = {"Status": "Deployed"}
    # CloudFront API reference, Distribution
    states = (
        States("Status", words("Deployed"), words("InProgress")),
        States("Enabled", words("true"), unhealthy=words("false"), says={"true": "enabled", "false": "disabled"}),
    )
    fixed = frozenset({"CallerReference"})
    replaces = {"UpdateDistribution": "DistributionConfig"}
    # The members depend on where the certificate is from, and those of both do not go together.
    exact = frozenset({"ViewerCertificate"})
    # An origin has exactly one of these.
    alternatives = frozenset(f"Origins.Items.{one}OriginConfig" for one in ("Custom", "S3", "Vpc"))
    absent = codes("NoSuchDistribution", "NoSuchResource")
    # The CallerReference was used: an earlier attempt created it, and the list will show it.
    duplicate = codes("DistributionAlreadyExists")
    visible_within = 60
    transient = {
        "create": codes("InvalidWebACLId", "NoSuchOrigin"),
        "update": _STALE,
        "delete": _STALE | codes("DistributionNotDisabled", "ResourceInUse"),
    }
    unheld = _STALE | codes("DistributionNotDisabled")
    # Median 170 s (go-to-k/cdkd docs/benchmarks.md); provider ceiling 90 min. Reads lag behind writes.
    takes, takes_to_go, patience, stale_for = 170, 5, minutes(90), 5
    ways_past = {"CNAMEAlreadyExists": _TAKEN}
    owners = {"WebACLId": Owner("CloudFront or Firewall Manager, which put it there", is_of_aws)}
    resource = "distribution"
    calls = calling(
        read="GetDistribution ListDistributions ListTagsForResource",
        create="CreateDistributionWithTags",
        standing="GetDistributionConfig",
        update="UpdateDistribution GetDistribution",
        retag="TagResource UntagResource GetDistribution",
        delete="DeleteDistribution UpdateDistribution GetDistribution",
        holders="GetDistribution",
    )

    def read(self, cloudfront: Any, spec: ResourceSpec) -> Doc | None:
        """Read the distribution and its tags; find it by its comment where its id is not known yet."""
        id_ = spec.id or self._listed(cloudfront, spec.props.get("Comment", spec.aws_name))
        if not id_:
            return None
        found = cloudfront.get_distribution(Id=id_)
        doc = found["Distribution"]
        tags = tags_told(cloudfront, spec, doc["ARN"], lambda: _tags(cloudfront, doc["ARN"]))
        return {**_whole(doc, spec.suffix), "ETag": found["ETag"], "Tags": tags}

    def leaves(self, doc: Doc) -> str:
        """Return the web ACL that CloudFront created for the distribution and does not delete, as a phrase.

        AWS WAF pricing: 5 USD a month, and 1 USD for each rule, once no pricing plan covers the web ACL.
        """
        arn = str(doc.get("WebACLId", ""))
        if _BY_CLOUDFRONT not in arn:
            return ""
        name, id_ = arn.split("/")[-2:]
        one = f"--name {name} --scope CLOUDFRONT --id {id_} --region us-east-1"
        token = f'"$(aws wafv2 get-web-acl {one} --query LockToken --output text)"'
        return (
            f"the web ACL {name}, which CloudFront made for this distribution and does not delete, from "
            f"5 USD a month until `aws wafv2 delete-web-acl {one} --lock-token {token}`"
        )

    def _listed(self, cloudfront: Any, comment: str) -> str:
        listed = cloudfront.list_distributions().get("DistributionList", {}).get("Items") or []
        return next((str(doc["Id"]) for doc in listed if doc["Comment"] == comment), "")

    def create(self, cloudfront: Any, spec: ResourceSpec) -> Doc:
        """Create the distribution with its tags; its CallerReference makes a repeated call harmless."""
        config = {**_sent(spec.props), "CallerReference": spec.token}
        made = cloudfront.create_distribution_with_tags(
            DistributionConfigWithTags={"DistributionConfig": config, "Tags": {"Items": pairs(spec.tags)}}
        )
        return {**_whole(made["Distribution"], spec.suffix), "ETag": made["ETag"]}

    def standing(self, cloudfront: Any, spec: ResourceSpec) -> Doc | None:
        """Read the current configuration with GetDistributionConfig, and the ETag that an update needs."""
        now = cloudfront.get_distribution_config(Id=spec.id)
        return {**now["DistributionConfig"], "ETag": now["ETag"]}

    def update(self, cloudfront: Any, spec: ResourceSpec, changed: Doc) -> None:
        """Replace the configuration, with the ETag it is based on; raise Blocked if a plan keeps the ACL."""
        if not spec.live:
            return
        try:
            cloudfront.update_distribution(Id=spec.id, IfMatch=spec.live["ETag"], DistributionConfig=_sent(spec.props))
        except ClientError as error:
            if not is_of_plan(error):
                raise
            arn = cloudfront.get_distribution(Id=spec.id)["Distribution"]["ARN"]
            why = keeps_acl(known_plan(cloudfront, arn))
            raise Blocked(f"{self} {spec.aws_name or spec.id}: {why.what}.", why.hint) from error

    def retag(self, cloudfront: Any, spec: ResourceSpec, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """Change the tags with TagResource and UntagResource."""
        arn = cloudfront.get_distribution(Id=spec.id)["Distribution"]["ARN"]
        if put:
            cloudfront.tag_resource(Resource=arn, Tags={"Items": pairs(put)})
        if gone := list(drop):
            cloudfront.untag_resource(Resource=arn, TagKeys={"Items": gone})

    def delete(self, cloudfront: Any, spec: ResourceSpec) -> None:
        """Disable the distribution, raise NotYet until that is deployed, then delete it."""
        found = cloudfront.get_distribution(Id=spec.id)
        doc = found["Distribution"]
        if doc["DistributionConfig"]["Enabled"]:
            config = {**doc["DistributionConfig"], "Enabled": False}
            cloudfront.update_distribution(Id=spec.id, IfMatch=found["ETag"], DistributionConfig=config)
        if doc["DistributionConfig"]["Enabled"] or doc["Status"] != "Deployed":
            raise NotYet("disabled, and the edge is learning it", due=self.takes)
        try:
            cloudfront.delete_distribution(Id=spec.id, IfMatch=found["ETag"])
        except ClientError as error:
            if not (holders := refused_for(cloudfront, doc["ARN"], error)):
                raise
            raise held_up(f"{self} {spec.aws_name or spec.id}", holders) from error

    def refuses(self, cloudfront: Any, doc: Doc, changed: Set[str]) -> list[Refusal]:
        """Return a refusal if the web ACL is to be removed or replaced and a pricing plan keeps it."""
        if "WebACLId" not in changed or not doc.get("WebACLId"):
            return []
        return [keeps_acl(plan) for plan in plans_of(cloudfront, doc["ARN"])]

    def holders(self, cloudfront: Any, spec: ResourceSpec) -> list[Holder]:
        """Return the pricing plan of the distribution, which blocks its deletion."""
        return plans_of(cloudfront, cloudfront.get_distribution(Id=spec.id)["Distribution"]["ARN"])

    def leads(self, doc: Doc) -> list[str]:
        """Return the hashes of the origin keys that it sends, once all edge locations send them."""
        return list(shown(doc["Origins"])) if doc.get("Status") == "Deployed" else []

    def canonical(self, doc: Doc) -> Doc:
        """Remove the Quantity of lists, and add members that AWS leaves out where they are empty."""
        plain = {key: _plain(value) for key, value in {**_NOWHERE_ELSE, **doc}.items()}
        if "DefaultCacheBehavior" in plain:
            plain["DefaultCacheBehavior"] = {_HEADERS: "", **plain["DefaultCacheBehavior"]}
        return plain


def domain_of(cloudfront: Any, comment: str) -> Doc:
    """Return the domain settings of the existing distribution with this comment; {} if it has no domain."""
    listed = cloudfront.list_distributions().get("DistributionList", {}).get("Items") or []
    doc: Doc = next((one for one in listed if one["Comment"] == comment), {})
    names = (doc.get("Aliases") or {}).get("Items") or []
    if not names:
        return {}
    # Somebody may have added another origin.
    meant = doc["DefaultCacheBehavior"]["TargetOriginId"]
    origin = next(one for one in doc["Origins"]["Items"] if one["Id"] == meant)
    zone = _tags(cloudfront, doc["ARN"]).get(ZONE_TAG)
    return {"names": tuple(names), "hosted_zone_id": zone, "origin_name": origin["DomainName"]}


def _tags(cloudfront: Any, arn: str) -> dict[str, str]:
    return mapping(cloudfront.list_tags_for_resource(Resource=arn)["Tags"]["Items"])


def _whole(doc: Doc, suffix: str) -> Doc:
    """Return a distribution's configuration, keys as hashes, and its id, ARN, status and domain."""
    about = {key: doc[key] for key in ("Id", "ARN", "Status", "DomainName")}
    config = doc["DistributionConfig"]
    return {**config, "Origins": veiled_origins(config["Origins"], suffix), **about}


def _sent(config: Doc) -> Doc:
    """Return a configuration for the API: with each Quantity, without an empty headers policy."""
    behaviour = dict(config["DefaultCacheBehavior"])
    if not behaviour.get(_HEADERS):
        behaviour.pop(_HEADERS, None)
    return {**_counted(config), "DefaultCacheBehavior": _counted(behaviour)}


def _plain(value: Any) -> Any:
    """Return a value with each `{Quantity, Items}` of CloudFront without its Quantity."""
    if isinstance(value, Mapping):
        if "Quantity" in value:
            items = [_plain(one) for one in value.get("Items") or []]
            rest = {key: _plain(one) for key, one in value.items() if key not in ("Quantity", "Items")}
            return {**rest, "Items": items}
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value


def _counted(value: Any) -> Any:
    """Return a value with the Quantity that CloudFront requires beside each `Items`."""
    if isinstance(value, Mapping):
        counted = {key: _counted(one) for key, one in value.items()}
        return {**counted, "Quantity": len(counted["Items"])} if "Items" in counted else counted
    return [_counted(one) for one in value] if isinstance(value, list) else value
