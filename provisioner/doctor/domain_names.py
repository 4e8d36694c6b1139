"""Checks of names: where DNS records lead, and whether the certificates are valid."""

from __future__ import annotations

from provisioner.doctor.check import Finding, JsonObject, NotApplicable

# ACM begins to renew 60 days before a certificate expires (ACM user guide, managed renewal): if fewer days
# than this are left, the renewal has failed.
_MIN_DAYS_LEFT = 30
_DAY_SECONDS = 86400


def names_reach_distribution(distribution: JsonObject, aliases: dict[str, list[JsonObject]]) -> Finding | None:
    """Check that each domain name of the stack leads to the distribution.

    Raises:
        NotApplicable: The distribution has no domain name of its own.

    """
    if not aliases:
        raise NotApplicable("the distribution has no name of its own")
    for name, records in aliases.items():
        domain_name = distribution["DomainName"]
        if domain_name.lower() not in record_targets(records):
            destinations = ", ".join(sorted(record_targets(records))) or "nowhere"
            problem = f"{name} leads to {destinations}; the distribution is {domain_name}."
            return Finding("dns-astray", problem, "Who uses that name does not reach the stack.", "apply")
    return None


def record_targets(records: list[JsonObject]) -> set[str]:
    """Return the names to which DNS records lead, by alias or CNAME."""
    names = {record["AliasTarget"]["DNSName"] for record in records if record.get("AliasTarget")}
    for record in records:
        if record["Type"] == "CNAME":
            names |= {value["Value"] for value in record.get("ResourceRecords", [])}
    return {name.lower().rstrip(".").removeprefix("dualstack.") for name in names}


def certificates_are_valid(certificates: list[JsonObject], now: float) -> Finding | None:
    """Check that each certificate is issued, and is renewed in time.

    Raises:
        NotApplicable: There is no certificate: CloudFront uses its own, which AWS maintains.

    """
    if not certificates:
        raise NotApplicable("CloudFront's own certificate is shown, which AWS keeps")
    for certificate in certificates:
        if certificate["Status"] != "ISSUED":
            return _not_issued_finding(certificate)
        not_after = certificate.get("NotAfter")
        days_left = int((not_after.timestamp() - now) // _DAY_SECONDS) if not_after else _MIN_DAYS_LEFT
        if days_left < _MIN_DAYS_LEFT:
            return _not_renewed_finding(certificate, days_left)
    return None


def _not_issued_finding(certificate: JsonObject) -> Finding:
    """Return the finding for a certificate that browsers do not accept yet, or no longer."""
    reason = f": {certificate['FailureReason']}" if certificate.get("FailureReason") else ""
    problem = f"The certificate for {_describe_certificate(certificate)} is {certificate['Status']}{reason}."
    command = _show_command(certificate) if certificate.get("Type") == "IMPORTED" else "apply"
    return Finding("certificate-not-issued", problem, "Browsers and CloudFront refuse the connection.", command)


def _not_renewed_finding(certificate: JsonObject, days_left: int) -> Finding:
    """Return the finding for a certificate that ACM should have renewed by now."""
    unproven = _unproven_names(certificate)
    cause = f": ACM does not find in DNS what proves {', '.join(unproven)}" if unproven else ""
    name = _describe_certificate(certificate)
    problem = f"The certificate for {name} ends in {days_left} days and was not renewed{cause}."
    consequence = "From then on browsers and CloudFront refuse the connection."
    return Finding("certificate-ends", problem, consequence, "apply" if unproven else _show_command(certificate))


def _describe_certificate(certificate: JsonObject) -> str:
    """Return the domain name and the ARN of a certificate."""
    return f"{certificate['DomainName']} ({certificate['CertificateArn']})"


def _show_command(certificate: JsonObject) -> str:
    """Return the command that shows a certificate."""
    arn = certificate["CertificateArn"]
    return f"aws acm describe-certificate --certificate-arn {arn} --region {arn.split(':')[3]}"


def _unproven_names(certificate: JsonObject) -> list[str]:
    """Return the domain names whose validation records ACM does not find, so that it cannot renew."""
    options = (certificate.get("RenewalSummary") or {}).get("DomainValidationOptions", [])
    return [option["DomainName"] for option in options if option.get("ValidationStatus") != "SUCCESS"]
