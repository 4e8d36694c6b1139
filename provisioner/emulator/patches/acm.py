"""ACM: certificates are issued once DNS proves their names, and cannot be deleted while they are in use."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

from moto.backends import get_backend

from provisioner.emulator.account_store import AccountStore
from provisioner.emulator.clock import clock
from provisioner.emulator.errors import AwsError, Reply
from provisioner.emulator.hooks import always
from provisioner.emulator.moto_bridge import ask_moto, backend, list_moto
from provisioner.emulator.patches.cloudfront_distributions import viewer_certificates
from provisioner.emulator.wire import AccountRegion, Call

ISSUE = 60.0  # seconds from the validation records to the issued certificate

_algorithms: AccountStore[str] = AccountStore()  # key algorithms by certificate ARN
ends: AccountStore[datetime] = AccountStore()  # by ARN: expiry dates of certificates that are due for renewal


@always.after("acm", "RequestCertificate")
def keep_algorithm(call: Call, reply: Reply) -> None:
    """Remember the key algorithm that a certificate was requested with."""
    _algorithms.of(call)[reply["CertificateArn"]] = call.params.get("KeyAlgorithm", "RSA_2048")


@always.after("acm", "ListCertificates")
def filter_by_key_type(call: Call, reply: Reply) -> None:
    """List only certificates of the requested key types, by default RSA up to 2048 bits.

    Source: botocore acm, Filters, keyTypes.
    """
    key_types = (call.params.get("Includes") or {}).get("keyTypes") or ["RSA_1024", "RSA_2048"]
    algorithms = _algorithms.of(call)
    summaries = reply["CertificateSummaryList"]
    reply["CertificateSummaryList"] = [
        summary for summary in summaries if algorithms.get(summary["CertificateArn"], "RSA_2048") in key_types
    ]


@always.after("acm", "DescribeCertificate")
def complete_description(call: Call, reply: Reply) -> None:
    """Correct the key algorithm, the date of issue and the users of a described certificate.

    A pending certificate has no `IssuedAt`. `InUseBy` names load balancers and distributions; moto names
    listeners.
    """
    certificate = reply["Certificate"]
    arn = certificate["CertificateArn"]
    if arn in _algorithms.of(call):
        certificate["KeyAlgorithm"] = _algorithms.of(call)[arn]
    if certificate["Status"] == "PENDING_VALIDATION":
        certificate.pop("IssuedAt", None)
    certificate["InUseBy"] = sorted(set(users_of(call, arn)))


@always.after("acm", "DescribeCertificate")
def add_renewal(call: Call, reply: Reply) -> None:
    """Renew a certificate that expires soon, or report which validation records are missing for it.

    Source: ACM user guide, renewal.
    """
    certificate = reply["Certificate"]
    end = ends.of(call).get(certificate["CertificateArn"])
    if end is None or certificate["Status"] != "ISSUED":
        return
    records, options = set(_records(call)), certificate["DomainValidationOptions"]
    proven = {option["DomainName"] for option in options if _validation_record(option) in records}
    if len(proven) == len(options):
        del ends.of(call)[certificate["CertificateArn"]]
        return
    states = {True: "SUCCESS", False: "PENDING_VALIDATION"}
    certificate["NotAfter"] = end
    certificate["RenewalSummary"] = {
        "RenewalStatus": "PENDING_VALIDATION",
        "DomainValidationOptions": [
            {"DomainName": option["DomainName"], "ValidationStatus": states[option["DomainName"] in proven]}
            for option in options
        ],
        "UpdatedAt": datetime.fromtimestamp(clock.now(), UTC),
    }


def _validation_record(option: dict[str, Any]) -> tuple[str, str]:
    """Return the name and the value of the DNS record that validates one domain name of a certificate."""
    record = option["ResourceRecord"]
    return record["Name"].rstrip("."), record["Value"].rstrip(".")


def users_of(call: Call | AccountRegion, arn: str) -> Iterator[str]:
    """Yield the ARN of each load balancer and distribution that uses a certificate now.

    Moto records when a listener begins to use a certificate, and never when it ceases to.
    """
    for balancer in backend("elbv2", call.account, call.region).load_balancers.values():
        for listener in balancer.listeners.values():
            if arn in (listener.certificates or []):
                yield _balancer(listener.arn)
    for name, shown_arn in viewer_certificates(call.account).items():
        if shown_arn == arn:
            yield f"arn:aws:cloudfront::{call.account}:distribution/{name}"


def shown(account: str) -> set[str]:
    """Return the ARNs of all certificates that a listener or a distribution uses, in all regions."""
    balancers = (
        balancer for elbv2 in get_backend("elbv2")[account].values() for balancer in elbv2.load_balancers.values()
    )
    listeners = (listener for balancer in balancers for listener in balancer.listeners.values())
    of_listeners = {arn for listener in listeners for arn in listener.certificates or []}
    return of_listeners | set(viewer_certificates(account).values())


def _balancer(arn: str) -> str:
    """Turn a listener's ARN into that of its load balancer; return any other ARN unchanged."""
    head, listener, tail = arn.partition(":listener/")
    return f"{head}:loadbalancer/{tail.rpartition('/')[0]}" if listener else arn


@always.after("acm", "RequestCertificate")
@always.after("route53", "ChangeResourceRecordSets")
def validate(call: Call, _: Reply) -> None:
    """Schedule the issue of each pending certificate whose validation records are all in Route 53.

    Source: AWS doc, ACM DNS validation. Moto issues every certificate after a minute, whatever DNS says.
    """
    proofs = set(_records(call))
    for region, acm in get_backend("acm")[call.account].items():
        for certificate in acm._certificates.values():
            if certificate.status == "PENDING_VALIDATION" and _validation_records(call, region, certificate) <= proofs:
                clock.later(ISSUE, partial(setattr, certificate, "status", "ISSUED"))


def _records(call: Call) -> Iterator[tuple[str, str]]:
    """Yield the name and the value of each record in the account's hosted zones, without trailing dots."""
    for zone in backend("route53", call.account, "aws").zones:
        records = list_moto(call, "route53", "ListResourceRecordSets", HostedZoneId=zone)["ResourceRecordSets"]
        for record in records:
            for value in record.get("ResourceRecords", []):
                yield record["Name"].rstrip("."), value["Value"].rstrip(".")


def _validation_records(call: Call, region: str, certificate: Any) -> set[tuple[str, str]]:
    """Return the names and values of the DNS records that validate a certificate."""
    place = AccountRegion(call.account, region)
    description = ask_moto(place, "acm", "DescribeCertificate", CertificateArn=certificate.arn)["Certificate"]
    return {_validation_record(option) for option in description["DomainValidationOptions"]}


@always.before("acm", "DeleteCertificate")
def in_use(call: Call) -> None:
    """Refuse to delete a certificate that is in use (botocore ServiceModel, errors of DeleteCertificate)."""
    if any(users_of(call, call.params["CertificateArn"])):
        raise in_use_error(call)


def in_use_error(call: Call) -> AwsError:
    """Return AWS's error for deleting a certificate that is in use."""
    message = f"Certificate {call.params['CertificateArn']} in account {call.account} is in use."
    return AwsError("ResourceInUseException", message, status=400)
