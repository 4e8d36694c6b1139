"""A change in a zone spreads, and a certificate that was shown is let go, some time later."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from provisioner.emulator.behaviours import certificates
from provisioner.emulator.server import LocalAws
from tests.emulator.conftest import Client, code_of
from tests.emulator.test_cloudfront import config, distribution, issued

NAME = "a.example.com"


def test_a_change_is_pending_until_all_servers_know_it(emulator_server: LocalAws, aws_at_real_speed: Client) -> None:
    route53 = aws_at_real_speed("route53")
    zone = route53.create_hosted_zone(Name=NAME, CallerReference="r")["HostedZone"]["Id"]
    record = {"Name": NAME, "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}
    batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    made = route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)["ChangeInfo"]

    assert made["Status"] == route53.get_change(Id=made["Id"])["ChangeInfo"]["Status"] == "PENDING"
    emulator_server.advance(certificates.SPREAD + 1)
    assert route53.get_change(Id=made["Id"])["ChangeInfo"]["Status"] == "INSYNC"


def test_a_certificate_is_held_for_a_while_after_it_was_shown(
    emulator_server: LocalAws, aws_at_real_speed: Client
) -> None:
    arn = issued(aws_at_real_speed, NAME)
    emulator_server.advance(61)
    shown = {"ACMCertificateArn": arn, "SSLSupportMethod": "sni-only"}
    edge = distribution(aws_at_real_speed, Aliases={"Quantity": 1, "Items": [NAME]}, ViewerCertificate=shown)
    acm, cloudfront = aws_at_real_speed("acm"), aws_at_real_speed("cloudfront")
    id_, told = edge["Distribution"]["Id"], {}

    for when in ("shown", "given up"):
        with pytest.raises(ClientError) as caught:
            acm.delete_certificate(CertificateArn=arn)
        told[when] = code_of(caught)
        if when == "shown":
            plain = {**edge["Distribution"]["DistributionConfig"], **config(), "Aliases": {"Quantity": 0}}
            plain["ViewerCertificate"] = {"CloudFrontDefaultCertificate": True}
            cloudfront.update_distribution(Id=id_, IfMatch=edge["ETag"], DistributionConfig=plain)
    emulator_server.advance(certificates.LINGER + 1)
    acm.delete_certificate(CertificateArn=arn)

    assert set(told.values()) == {"ResourceInUseException"}
