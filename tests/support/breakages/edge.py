"""What breaks at the edge: the distribution, its names and certificates, its origin and the key for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from provisioner.emulator.behaviours.distributions import deploying_etags
from provisioner.emulator.moto_bridge import backend
from provisioner.emulator.patches.acm import ends
from tests.support.breakages.deed import Act, Break
from tests.support.live_stack import ACCOUNT, LiveStack
from tests.support.manual_changes import settle

NAME, GLOBAL = "api.shop.example", "us-east-1"


def reconfigure(live_stack: LiveStack, **changed: Any) -> None:
    """Change the distribution's configuration."""
    cloudfront, id_ = live_stack.aws("cloudfront"), _id(live_stack)
    now = cloudfront.get_distribution_config(Id=id_)
    config = {**now["DistributionConfig"], **changed}
    cloudfront.update_distribution(Id=id_, IfMatch=now["ETag"], DistributionConfig=config)
    settle(lambda: cloudfront.get_distribution(Id=id_))


def _id(live_stack: LiveStack) -> str:
    listed = live_stack.aws("cloudfront").list_distributions()["DistributionList"]["Items"]
    return str(listed[0]["Id"])


def origin(**changed: Any) -> Act:
    """Change the distribution's one origin."""

    def change(live_stack: LiveStack) -> None:
        origins = live_stack.distribution["Origins"]
        reconfigure(live_stack, Origins={**origins, "Items": [{**origins["Items"][0], **changed}]})

    return change


def _other_port(live_stack: LiveStack) -> None:
    config = live_stack.distribution["Origins"]["Items"][0]["CustomOriginConfig"]
    origin(CustomOriginConfig={**config, "HTTPSPort": 8443})(live_stack)


def _lead_elsewhere(live_stack: LiveStack) -> None:
    """The name of the stack's own leads to another distribution."""
    route53 = live_stack.aws("route53")
    [zone] = route53.list_hosted_zones()["HostedZones"]
    there = {"HostedZoneId": "Z2FDTNDATAQYW2", "DNSName": "d0.cloudfront.net", "EvaluateTargetHealth": False}
    records = [{"Name": NAME, "Type": type_, "AliasTarget": there} for type_ in ("A", "AAAA")]
    changes = [{"Action": "UPSERT", "ResourceRecordSet": one} for one in records]
    route53.change_resource_record_sets(HostedZoneId=zone["Id"], ChangeBatch={"Changes": changes})


def _certificate(live_stack: LiveStack) -> str:
    return str(live_stack.distribution["ViewerCertificate"]["ACMCertificateArn"])


def _expire(live_stack: LiveStack) -> None:
    """It was not renewed in time."""
    backend("acm", ACCOUNT, GLOBAL)._certificates[_certificate(live_stack)].status = "EXPIRED"


def _unprove(live_stack: LiveStack) -> None:
    """Somebody tidies up the zone, and ACM cannot renew what ends in days."""
    route53 = live_stack.aws("route53")
    [zone] = route53.list_hosted_zones()["HostedZones"]
    listed = route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]
    proofs = [one for one in listed if one["Type"] == "CNAME" and "acm-validations" in str(one)]
    changes = [{"Action": "DELETE", "ResourceRecordSet": one} for one in proofs]
    route53.change_resource_record_sets(HostedZoneId=zone["Id"], ChangeBatch={"Changes": changes})
    ends.at(ACCOUNT, GLOBAL)[_certificate(live_stack)] = datetime.now(UTC) + timedelta(days=5)


def _still_deploying(live_stack: LiveStack) -> None:
    deploying_etags.at(ACCOUNT, "")[_id(live_stack)] = "a change of somebody's"


def _deployed(live_stack: LiveStack) -> None:
    deploying_etags.at(ACCOUNT, "").pop(_id(live_stack))


_MTLS = {"Mode": "required", "TrustStoreConfig": {"TrustStoreId": "ts_1"}}
BREAKS = (
    Break(
        "distribution",
        "distribution-disabled",
        lambda live_stack: reconfigure(live_stack, Enabled=False),
        "is disabled",
    ),
    Break(
        "distribution",
        "distribution-on-its-way",
        _still_deploying,
        "is InProgress",
        "aws cloudfront wait distribution-deployed --id",
        meanwhile=_deployed,
        turn=2,
    ),
    Break(
        "viewers",
        "viewers-shut-out",
        lambda live_stack: reconfigure(live_stack, ViewerMtlsConfig=_MTLS),
        "admits only viewers with a client certificate (ViewerMtlsConfig)",
    ),
    Break("dns", "dns-astray", _lead_elsewhere, f"{NAME} leads to d0.cloudfront.net"),
    Break("certificate", "certificate-not-issued", _expire, "is EXPIRED", turn=0),
    Break(
        "certificate",
        "certificate-ends",
        _unprove,
        f"ends in 4 days and was not renewed: ACM does not find in DNS what proves {NAME}",
    ),
    Break("origin", "origin-astray", origin(DomainName="old.shop.example"), "origin is old.shop.example"),
    Break(
        "origin",
        "origin-port-unheard",
        _other_port,
        "on port 8443; it listens on 80, 443",
        also={"edge-shut-out"},
        turn=0,
    ),
    Break(
        "origin-header",
        "origin-key-unknown",
        origin(CustomHeaders={"Quantity": 1, "Items": [{"HeaderName": "X-Origin-Key", "HeaderValue": "no"}]}),
        "values are not shown",
    ),
    Break(
        "origin-header",
        "origin-key-not-sent",
        origin(CustomHeaders={"Quantity": 0, "Items": []}),
        "CloudFront does not send it",
        turn=0,
    ),
)
