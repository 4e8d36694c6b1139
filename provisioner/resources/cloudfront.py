"""CloudFront: a distribution, which is disabled and deployed once more before it can be deleted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.blocker import Blocker, Refusal, RetryLater, blocked_error
from provisioner.engine.types.charges import Pricing
from provisioner.engine.types.data import codes, declare_operations, minutes
from provisioner.engine.types.field_ownership import FieldOwner
from provisioner.engine.types.health_status import StatusClasses, in_lower_case
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.errors import Blocked
from provisioner.names import ZONE_TAG
from provisioner.resources.field_owners.edge import DISTRIBUTION
from provisioner.resources.origin_key import redact_origins, sent_key_hashes
from provisioner.resources.pricing_plans import (
    acl_refusal,
    is_plan_refusal,
    plan_behind_refusal,
    plans_that_block_deletion,
    read_plans,
)
from provisioner.resources.tags import mapping, pairs, read_tags
from provisioner.service_clients import CloudFront

if TYPE_CHECKING:
    from types_boto3_cloudfront.type_defs import DistributionConfigOutputTypeDef

# The ETag is out of date: the retry reads it again.
_STALE = codes("PreconditionFailed", "InvalidIfMatchVersion")
# Where there is no such policy, AWS returns no id, and accepts none.
_HEADERS_POLICY = "ResponseHeadersPolicyId"
# botocore DistributionConfig: each may be missing where there are none.
_EMPTY_MEMBERS: JsonObject = {"CacheBehaviors": {"Items": []}, "OriginGroups": {"Items": []}}

# CloudFront developer guide, alternate-domain-names-move.
_NAME_TAKEN_REMEDY = (
    "Take the name from that distribution, which may be another account's, or leave it out of "
    "`domain.names`; then run the same command again. To move it while it serves: bring the stack up under "
    "another name, with a certificate for both, `aws cloudfront associate-alias` the name to it, then set it."
)


# The web ACLs that CloudFront creates for a plan, or from its console (AWS WAF developer guide).
_CLOUDFRONT_ACL = "/webacl/CreatedByCloudFront-"


def is_acl_of_aws(actual: Any, desired: Any) -> bool:
    """Return whether an undeclared web ACL was put there by CloudFront itself or by Firewall Manager.

    Names: AWS WAF developer guide, CloudFront's security protections; cloud-custodian/cloud-custodian#7698.
    """
    names = (_CLOUDFRONT_ACL, "/webacl/FMManagedWebACLV2-")
    return not desired and any(name in str(actual) for name in names)


class Distribution(ResourceType):
    """A distribution; its properties are those of its DistributionConfig, lists without their Quantity."""

    service, id_paths, name_property, noun = "cloudfront", "Id", "Comment", "edge"
    max_name_length = 128
    pricing = Pricing(by_use="CloudFront requests and traffic")
    ownership = DISTRIBUTION
    ready = {"Status": "Deployed"}
    # CloudFront API reference, Distribution
    status_classes = (
        StatusClasses("Status", in_lower_case("Deployed"), in_lower_case("InProgress")),
        StatusClasses(
            "Enabled",
            in_lower_case("true"),
            unhealthy=in_lower_case("false"),
            descriptions={"true": "enabled", "false": "disabled"},
        ),
    )
    immutable = frozenset({"CallerReference"})
    replacing_calls = {"UpdateDistribution": "DistributionConfig"}
    # The members depend on where the certificate is from, and those of both do not go together.
    sent_as_stated = frozenset({"ViewerCertificate"})
    # An origin has exactly one of these.
    alternatives = frozenset(f"Origins.Items.{origin_type}OriginConfig" for origin_type in ("Custom", "S3", "Vpc"))
    not_found_codes = codes("NoSuchDistribution", "NoSuchResource")
    # The CallerReference was used: an earlier attempt created it, and the list will show it.
    already_exists_codes = codes("DistributionAlreadyExists")
    consistency_seconds = 60
    retryable_codes = {
        "create": codes("InvalidWebACLId", "NoSuchOrigin"),
        "update": _STALE,
        "delete": _STALE | codes("DistributionNotDisabled", "ResourceInUse"),
    }
    unblocked_codes = _STALE | codes("DistributionNotDisabled")
    # Median 170 s (go-to-k/cdkd docs/benchmarks.md); provider ceiling 90 min. Reads lag behind writes.
    typical_create_seconds, typical_delete_seconds, timeout, stale_seconds = 170, 5, minutes(90), 5
    error_remedies = {"CNAMEAlreadyExists": _NAME_TAKEN_REMEDY}
    field_owners = {"WebACLId": FieldOwner("CloudFront or Firewall Manager, which put it there", is_acl_of_aws)}
    iam_type = "distribution"
    operations = declare_operations(
        read="GetDistribution ListDistributions ListTagsForResource",
        create="CreateDistributionWithTags",
        read_before_replace="GetDistributionConfig",
        update="UpdateDistribution GetDistribution",
        retag="TagResource UntagResource GetDistribution",
        delete="DeleteDistribution UpdateDistribution GetDistribution",
        blockers="GetDistribution",
    )

    def read(self, cloudfront: CloudFront, spec: ResourceSpec) -> JsonObject | None:
        """Read the distribution and its tags; find it by its comment where its id is not known yet."""
        id_ = spec.id or self._find_id(cloudfront, spec.props.get("Comment", spec.aws_name))
        if not id_:
            return None
        reply = cloudfront.get_distribution(Id=id_)
        actual = reply["Distribution"]
        tags = read_tags(cloudfront, spec, actual["ARN"], lambda: _list_tags(cloudfront, actual["ARN"]))
        return {**_to_properties(actual, spec.suffix), "ETag": reply["ETag"], "Tags": tags}

    def leftovers(self, actual: JsonObject) -> str:
        """Return the web ACL that CloudFront created for the distribution and does not delete, as a phrase.

        AWS WAF pricing: 5 USD a month, and 1 USD for each rule, once no pricing plan covers the web ACL.
        """
        arn = str(actual.get("WebACLId", ""))
        if _CLOUDFRONT_ACL not in arn:
            return ""
        name, id_ = arn.split("/")[-2:]
        acl_options = f"--name {name} --scope CLOUDFRONT --id {id_} --region us-east-1"
        token = f'"$(aws wafv2 get-web-acl {acl_options} --query LockToken --output text)"'
        return (
            f"the web ACL {name}, which CloudFront made for this distribution and does not delete, from "
            f"5 USD a month until `aws wafv2 delete-web-acl {acl_options} --lock-token {token}`"
        )

    def _find_id(self, cloudfront: CloudFront, comment: str) -> str:
        """Return the id of the distribution with this comment; "" if there is none."""
        distributions = cloudfront.list_distributions().get("DistributionList", {}).get("Items") or []
        return next((str(actual["Id"]) for actual in distributions if actual["Comment"] == comment), "")

    def create(self, cloudfront: CloudFront, spec: ResourceSpec) -> JsonObject:
        """Create the distribution with its tags; its CallerReference makes a repeated call harmless."""
        config: Any = {**_to_api_config(spec.props), "CallerReference": spec.token}
        reply = cloudfront.create_distribution_with_tags(
            DistributionConfigWithTags={"DistributionConfig": config, "Tags": {"Items": pairs(spec.tags)}}
        )
        return {**_to_properties(reply["Distribution"], spec.suffix), "ETag": reply["ETag"]}

    def read_before_replace(self, cloudfront: CloudFront, spec: ResourceSpec) -> JsonObject | None:
        """Read the current configuration with GetDistributionConfig, and the ETag that an update needs."""
        reply = cloudfront.get_distribution_config(Id=spec.id)
        return {**reply["DistributionConfig"], "ETag": reply["ETag"]}

    def update(self, cloudfront: CloudFront, spec: ResourceSpec, changed: JsonObject) -> JsonObject | None:
        """Replace the configuration, with the ETag it is based on; raise Blocked if a plan keeps the ACL.

        Return the distribution as the reply tells it: it says whether that is deployed already.
        """
        if not spec.live:
            return None
        try:
            config: Any = _to_api_config(spec.props)
            updated = cloudfront.update_distribution(Id=spec.id, IfMatch=spec.live["ETag"], DistributionConfig=config)
        except ClientError as error:
            if not is_plan_refusal(error):
                raise
            arn = cloudfront.get_distribution(Id=spec.id)["Distribution"]["ARN"]
            refusal = acl_refusal(plan_behind_refusal(cloudfront, arn))
            raise Blocked(f"{self} {spec.aws_name or spec.id}: {refusal.reason}.", refusal.hint) from error
        return {**_to_properties(updated["Distribution"], spec.suffix), "ETag": updated["ETag"]}

    def retag(self, cloudfront: CloudFront, spec: ResourceSpec, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """Change the tags with TagResource and UntagResource."""
        arn = cloudfront.get_distribution(Id=spec.id)["Distribution"]["ARN"]
        if put:
            cloudfront.tag_resource(Resource=arn, Tags={"Items": pairs(put)})
        if removed_keys := list(drop):
            cloudfront.untag_resource(Resource=arn, TagKeys={"Items": removed_keys})

    def delete(self, cloudfront: CloudFront, spec: ResourceSpec) -> None:
        """Disable the distribution, raise RetryLater until that is deployed, then delete it."""
        reply = cloudfront.get_distribution(Id=spec.id)
        actual, etag = reply["Distribution"], reply["ETag"]
        if actual["DistributionConfig"]["Enabled"]:
            config: DistributionConfigOutputTypeDef = {**actual["DistributionConfig"], "Enabled": False}
            updated = cloudfront.update_distribution(Id=spec.id, IfMatch=reply["ETag"], DistributionConfig=config)
            actual, etag = updated["Distribution"], updated["ETag"]
        if actual["Status"] != "Deployed":
            raise RetryLater("it is disabled, and CloudFront is deploying that", due=self.typical_create_seconds)
        try:
            cloudfront.delete_distribution(Id=spec.id, IfMatch=etag)
        except ClientError as error:
            if not (blockers := plans_that_block_deletion(cloudfront, actual["ARN"], error)):
                raise
            raise blocked_error(f"{self} {spec.aws_name or spec.id}", blockers) from error

    def refusals(self, cloudfront: CloudFront, actual: JsonObject, changed: Set[str]) -> list[Refusal]:
        """Return a refusal if the web ACL is to be removed or replaced and a pricing plan keeps it."""
        if "WebACLId" not in changed or not actual.get("WebACLId"):
            return []
        return [acl_refusal(plan) for plan in read_plans(cloudfront, actual["ARN"])]

    def blockers(self, cloudfront: CloudFront, spec: ResourceSpec) -> list[Blocker]:
        """Return the pricing plan of the distribution, which blocks its deletion."""
        return read_plans(cloudfront, cloudfront.get_distribution(Id=spec.id)["Distribution"]["ARN"])

    def routes_to(self, actual: JsonObject) -> list[str]:
        """Return the hashes of the origin keys that the distribution sends, once all edge locations send them."""
        return list(sent_key_hashes(actual["Origins"])) if actual.get("Status") == "Deployed" else []

    def normalize(self, actual: JsonObject) -> JsonObject:
        """Remove the Quantity of lists, and add members that AWS leaves out where they are empty."""
        properties = {key: _without_quantities(value) for key, value in {**_EMPTY_MEMBERS, **actual}.items()}
        if "DefaultCacheBehavior" in properties:
            properties["DefaultCacheBehavior"] = {_HEADERS_POLICY: "", **properties["DefaultCacheBehavior"]}
        return properties


def existing_domain(cloudfront: CloudFront, comment: str) -> dict[str, str]:
    """Return the domain settings of the existing distribution with this comment; {} if it has no domain.

    `names` are separated by blanks; there is no `hosted_zone_id` if the stack does not manage the zone.
    """
    distributions = cloudfront.list_distributions().get("DistributionList", {}).get("Items") or []
    actual: JsonObject = next((each for each in distributions if each["Comment"] == comment), {})
    names = (actual.get("Aliases") or {}).get("Items") or []
    if not names:
        return {}
    # Somebody may have added another origin.
    origin_id = actual["DefaultCacheBehavior"]["TargetOriginId"]
    origin = next(origin for origin in actual["Origins"]["Items"] if origin["Id"] == origin_id)
    zone = _list_tags(cloudfront, actual["ARN"]).get(ZONE_TAG)
    zone_id = {"hosted_zone_id": zone} if zone else {}
    return {"names": " ".join(names), "origin_name": origin["DomainName"], **zone_id}


def _list_tags(cloudfront: CloudFront, arn: str) -> dict[str, str]:
    return mapping(cloudfront.list_tags_for_resource(Resource=arn)["Tags"]["Items"])


def _to_properties(actual: JsonObject, suffix: str) -> JsonObject:
    """Return a distribution's configuration, keys as hashes, and its id, ARN, status and domain."""
    attributes = {key: actual[key] for key in ("Id", "ARN", "Status", "DomainName")}
    config = actual["DistributionConfig"]
    return {**config, "Origins": redact_origins(config["Origins"], suffix), **attributes}


def _to_api_config(config: JsonObject) -> JsonObject:
    """Return a configuration for the API: with each Quantity, without an empty headers policy."""
    behaviour = dict(config["DefaultCacheBehavior"])
    if not behaviour.get(_HEADERS_POLICY):
        behaviour.pop(_HEADERS_POLICY, None)
    return {**_with_quantities(config), "DefaultCacheBehavior": _with_quantities(behaviour)}


def _without_quantities(value: Any) -> Any:
    """Return a value with each `{Quantity, Items}` of CloudFront without its Quantity."""
    if isinstance(value, Mapping):
        if "Quantity" in value:
            items = [_without_quantities(member) for member in value.get("Items") or []]
            rest = {
                key: _without_quantities(member) for key, member in value.items() if key not in ("Quantity", "Items")
            }
            return {**rest, "Items": items}
        return {key: _without_quantities(member) for key, member in value.items()}
    return [_without_quantities(member) for member in value] if isinstance(value, list) else value


def _with_quantities(value: Any) -> Any:
    """Return a value with the Quantity that CloudFront requires beside each `Items`."""
    if isinstance(value, Mapping):
        mapping_ = {key: _with_quantities(member) for key, member in value.items()}
        return {**mapping_, "Quantity": len(mapping_["Items"])} if "Items" in mapping_ else mapping_
    return [_with_quantities(member) for member in value] if isinstance(value, list) else value
