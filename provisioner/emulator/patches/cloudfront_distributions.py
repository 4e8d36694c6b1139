"""CloudFront distributions: changes need the newest ETag and valid references; configs are returned whole."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from provisioner.emulator.account_store import AccountStore
from provisioner.emulator.clock import clock
from provisioner.emulator.errors import AwsError, Reply
from provisioner.emulator.hooks import always
from provisioner.emulator.moto_bridge import backend
from provisioner.emulator.patches.cloudfront_policies import KINDS, known
from provisioner.emulator.patches.etags import check_etag, new_etag
from provisioner.emulator.wire import Call

_configs: AccountStore[dict[str, Any]] = AccountStore()  # by distribution id


def distributions(call: Call) -> dict[str, Any]:
    """Return moto's distributions by id."""
    distributions_by_id: dict[str, Any] = backend("cloudfront", call.account, "aws").distributions
    return distributions_by_id


def viewer_certificates(account: str) -> dict[str, str]:
    """Return the ARN of the ACM certificate of each distribution that has one, by distribution id."""
    existing, configs = backend("cloudfront", account, "aws").distributions, _configs.at(account, "global")
    certificates = ((name, configs.get(name, {}).get("ViewerCertificate", {})) for name in existing)
    return {
        name: certificate["ACMCertificateArn"]
        for name, certificate in certificates
        if certificate.get("ACMCertificateArn")
    }


def config_of_host(account: str, host: str) -> dict[str, Any] | None:
    """Return the config of the distribution that has the domain name `host` (lower case), if there is one."""
    existing, configs = backend("cloudfront", account, "aws").distributions, _configs.at(account, "global")
    matching = (
        configs.get(name) for name, distribution in existing.items() if distribution.domain_name.lower() == host
    )
    return next(matching, None)


def existing_configs(account: str) -> list[dict[str, Any]]:
    """Return the config of each existing distribution."""
    existing, configs = backend("cloudfront", account, "aws").distributions, _configs.at(account, "global")
    return [configs[name] for name in existing if name in configs]


@always.before("cloudfront", "CreateDistribution", "CreateDistributionWithTags")
def create(call: Call) -> None:
    """Refuse a new distribution with an unknown reference, a taken alias or an invalid certificate."""
    _check(call, _config(call), "")


def _config(call: Call) -> dict[str, Any]:
    """Return the distribution config that a create or update call sends."""
    with_tags = call.params.get("DistributionConfigWithTags", {})
    config: dict[str, Any] = call.params.get("DistributionConfig") or with_tags["DistributionConfig"]
    return config


@always.before("cloudfront", "UpdateDistribution")
def update(call: Call) -> None:
    """Refuse an update with an old ETag, another caller reference, or a config that a create would refuse."""
    distribution = distributions(call).get(call.params["Id"])
    if distribution is None:
        return
    check_etag(call, distribution.etag)
    config = call.params["DistributionConfig"]
    if config["CallerReference"] != distribution.distribution_config.caller_reference:
        raise AwsError("IllegalUpdate", "The update contains modifications that are not allowed.")
    _check(call, config, distribution.id)


@always.before("cloudfront", "DeleteDistribution")
def delete(call: Call) -> None:
    """Refuse a delete with an old ETag."""
    distribution = distributions(call).get(call.params["Id"])
    if distribution is not None:
        check_etag(call, distribution.etag)


def _check(call: Call, config: dict[str, Any], own: str) -> None:
    """Check the policies, aliases, web ACL and certificate of a config.

    `own` is the id of the distribution that is updated, or empty for a new one.
    """
    for behaviour in [config["DefaultCacheBehavior"], *config.get("CacheBehaviors", {}).get("Items", [])]:
        for kind in KINDS.values():
            name = behaviour.get(kind.member)
            if name and not known(call, kind, name):
                raise AwsError(kind.missing, f"The specified {kind.words} does not exist.", 404)
    _check_aliases(call, config, own)
    _check_web_acl(call, config.get("WebACLId", ""))
    names = config.get("Aliases", {}).get("Items", [])
    _check_certificate(call, config.get("ViewerCertificate", {}).get("ACMCertificateArn", ""), names)


def _check_aliases(call: Call, config: dict[str, Any], own: str) -> None:
    """Refuse aliases that belong to another distribution than `own`."""
    aliases = set(config.get("Aliases", {}).get("Items", []))
    for distribution in distributions(call).values():
        taken = aliases & set(distribution.distribution_config.Aliases.get("Items", []))
        if taken and distribution.id != own:
            message = "One or more of the CNAMEs you provided are already associated with a different"
            raise AwsError("CNAMEAlreadyExists", f"{message} resource.", 409)


def _check_web_acl(call: Call, arn: str) -> None:
    """Refuse a web ACL that does not exist in us-east-1 (botocore ServiceModel, InvalidWebACLId)."""
    if not arn:
        return
    acls = backend("wafv2", call.account, "aws").wacls
    if arn not in acls:
        raise AwsError("InvalidWebACLId", f"A web ACL ID specified is not valid: {arn}")


def _check_certificate(call: Call, arn: str, names: list[str]) -> None:
    """Require an issued certificate of us-east-1 that covers every alias.

    Source: CloudFront developer guide, CNAMEs.
    """
    if not arn and names:
        message = "To add an alternate domain name (CNAME) to a CloudFront distribution, you must attach a"
        raise AwsError("InvalidViewerCertificate", f"{message} trusted certificate that validates your right.")
    if not arn:
        return
    certificate = backend("acm", call.account, "us-east-1")._certificates.get(arn)
    if certificate is None or certificate.status != "ISSUED":
        message = (
            "The specified SSL certificate doesn't exist, isn't in us-east-1 region, isn't valid, or doesn't"
            " include a valid certificate chain."
        )
        raise AwsError("InvalidViewerCertificate", message)
    covered = {certificate.common_name, *certificate.sans}
    if any(not covered & {name, f"*.{name.split('.', 1)[-1]}"} for name in names):
        message = "The certificate that is attached to your distribution doesn't cover the alternate domain"
        raise AwsError("InvalidViewerCertificate", f"{message} name (CNAME) that you're trying to add.")


@always.after("cloudfront", "CreateDistribution", "CreateDistributionWithTags", "UpdateDistribution")
def changed(call: Call, reply: Reply) -> None:
    """Give the new version an ETag and a date, keep its config as sent, and report the status InProgress."""
    distribution = distributions(call)[reply["Distribution"]["Id"]]
    distribution.etag = reply["ETag"] = new_etag()
    now = datetime.fromtimestamp(clock.now(), UTC)
    distribution.last_modified_time = reply["Distribution"]["LastModifiedTime"] = now
    reply["Distribution"]["Status"] = "InProgress"
    config = _over(reply["Distribution"]["DistributionConfig"], _config(call))
    _shape(config)
    _configs.at(call.account, "global")[distribution.id] = config
    reply["Distribution"]["DistributionConfig"] = config


def _over(default: Any, sent: Any) -> Any:
    """Merge the config that was sent into moto's, which has defaults filled in but drops unknown members."""
    if isinstance(default, dict) and isinstance(sent, dict):
        return default | {key: _over(default.get(key), value) for key, value in sent.items()}
    if isinstance(default, list) and isinstance(sent, list) and len(default) == len(sent):
        return [_over(*pair) for pair in zip(default, sent, strict=True)]
    return sent


def _kept(call: Call, name: str) -> dict[str, Any]:
    """Return a copy of the stored config of a distribution, empty where there is none."""
    return copy.deepcopy(_configs.at(call.account, "global").get(name, {}))


@always.after("cloudfront", "GetDistribution")
def got(call: Call, reply: Reply) -> None:
    """Replace the config in the reply by the config as it was sent."""
    reply["Distribution"]["DistributionConfig"].update(_kept(call, call.params["Id"]))
    _shape(reply["Distribution"]["DistributionConfig"])


@always.after("cloudfront", "GetDistributionConfig")
def got_config(call: Call, reply: Reply) -> None:
    """Replace the config in the reply by the config as it was sent, to be edited and sent back."""
    reply["DistributionConfig"].update(_kept(call, call.params["Id"]))
    _shape(reply["DistributionConfig"])


@always.after("cloudfront", "ListDistributions")
def listed(call: Call, reply: Reply) -> None:
    """Replace the config of each listed distribution by the config as it was sent."""
    for summary in reply["DistributionList"].get("Items", []):
        summary.update(_kept(call, summary["Id"]))
        _shape(summary)


def _shape(config: dict[str, Any]) -> None:
    """Remove the cache settings that a cache policy replaces (AWS doc, API_DefaultCacheBehavior)."""
    for behaviour in _behaviours(config):
        if not behaviour.get("RealtimeLogConfigArn"):
            behaviour.pop("RealtimeLogConfigArn", None)
        if behaviour.get("CachePolicyId"):
            for replaced in ("ForwardedValues", "MinTTL", "DefaultTTL", "MaxTTL"):
                behaviour.pop(replaced, None)


def _behaviours(config: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the default cache behaviour of a config, then the others."""
    yield config["DefaultCacheBehavior"]
    yield from config.get("CacheBehaviors", {}).get("Items", [])


@always.before("cloudfront", "ListTagsForResource", "TagResource", "UntagResource")
def tags_of_unknown(call: Call) -> None:
    """Refuse a tag call for a distribution that does not exist (botocore ServiceModel, NoSuchResource)."""
    arn = call.params["Resource"]
    if ":distribution/" in arn and arn.rpartition("/")[2] not in distributions(call):
        raise AwsError("NoSuchResource", f"The specified resource does not exist: {arn}", 404)
