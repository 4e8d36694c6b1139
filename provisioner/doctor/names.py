"""Checks of names: where DNS records lead, and whether the certificates are valid."""

from __future__ import annotations

from provisioner.doctor.finding import Finding, JsonObject, NotApplicable

# ACM begins to renew 60 days before a certificate expires (ACM user guide, managed renewal): if fewer days
# than this are left, the renewal has failed.
_FEW_DAYS = 30
_DAY = 86400


def names_reach_distribution(distribution: JsonObject, aliases: dict[str, list[JsonObject]]) -> Finding | None:
    """Check that each domain name of the stack leads to the distribution.

    Raises:
        Unset: The distribution has no domain name of its own.

    """
    if not aliases:
        raise NotApplicable("the distribution has no name of its own")
    for name, records in aliases.items():
        wanted = distribution["DomainName"]
        if wanted.lower() not in targets(records):
            led = ", ".join(sorted(targets(records))) or "nowhere"
            what = f"{name} leads to {led}; the distribution is {wanted}."
            return Finding("dns-astray", what, "Who uses that name does not reach the stack.", "apply")
    return None


def targets(records: list[JsonObject]) -> set[str]:
    """Return the names to which DNS records lead, by alias or CNAME."""
    aliased = {one["AliasTarget"]["DNSName"] for one in records if one.get("AliasTarget")}
    named = {each["Value"] for one in records if one["Type"] == "CNAME" for each in one.get("ResourceRecords", [])}
    return {one.lower().rstrip(".").removeprefix("dualstack.") for one in aliased | named}


def certificates_are_valid(certificates: list[JsonObject], now: float) -> Finding | None:
    """Check that each certificate is issued, and is renewed in time.

    Raises:
        Unset: There is no certificate: CloudFront uses its own, which AWS maintains.

    """
    if not certificates:
        raise NotApplicable("CloudFront's own certificate is shown, which AWS keeps")
    for one in certificates:
        arn, name, status = one["CertificateArn"], one["DomainName"], one["Status"]
        show = f"aws acm describe-certificate --certificate-arn {arn} --region {arn.split(':')[3]}"
        if status != "ISSUED":
            reason = f": {one['FailureReason']}" if one.get("FailureReason") else ""
            what = f"The certificate for {name} ({arn}) is {status}{reason}."
            again = show if one.get("Type") == "IMPORTED" else "apply"
            why = "Browsers and CloudFront refuse the connection."
            return Finding("certificate-not-issued", what, why, again)
        end = one.get("NotAfter")
        left = int((end.timestamp() - now) // _DAY) if end else _FEW_DAYS
        if left < _FEW_DAYS:
            lost = _unproven(one)
            told = f": ACM does not find in DNS what proves {', '.join(lost)}" if lost else ""
            what = f"The certificate for {name} ({arn}) ends in {left} days and was not renewed{told}."
            why = "From then on browsers and CloudFront refuse the connection."
            return Finding("certificate-ends", what, why, "apply" if lost else show)
    return None


def _unproven(certificate: JsonObject) -> list[str]:
    """Return the domain names whose validation records ACM does not find, so that it cannot renew."""
    options = (certificate.get("RenewalSummary") or {}).get("DomainValidationOptions", [])
    return [one["DomainName"] for one in options if one.get("ValidationStatus") != "SUCCESS"]
