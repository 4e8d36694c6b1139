"""A domain of one's own, from its certificates to its names, judged from what AWS says."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from provisioner.emulator.server import LocalAws
from provisioner.engine.execution import apply
from provisioner.engine.execution.adoption import adopt
from tests.support.account_inventory import Found, client, inventory
from tests.support.hosted_zones import Zone
from tests.support.printed_commands import carry_out, printed
from tests.support.user import User

pytestmark = pytest.mark.xdist_group("domain")
SUFFIX, REGION = "prod", "eu-west-1"
NAME, ORIGIN = "api.shop.example", "origin.api.shop.example"
GUARDED = ("--region", REGION, "--set", "edge.guard=require")


@dataclass(frozen=True)
class Named:
    """A stack with a domain, in a region that is not CloudFront's, and the zone of its names."""

    desk: User
    zone: Zone
    # What stood there before it.
    empty: Found
    records: dict[tuple[str, str], str]

    def aws(self, service: str, region: str = REGION) -> Any:
        return client(self.desk.box.endpoint, service, region)

    def edge(self) -> Any:
        [edge] = self.aws("cloudfront").list_distributions()["DistributionList"]["Items"]
        return edge

    def balancer(self) -> Any:
        [balancer] = self.aws("elbv2").describe_load_balancers()["LoadBalancers"]
        return balancer

    def certificates(self, region: str) -> list[Any]:
        acm = self.aws("acm", region)
        listed = acm.list_certificates()["CertificateSummaryList"]
        return [acm.describe_certificate(CertificateArn=one["CertificateArn"])["Certificate"] for one in listed]


def proof_of(user: User, name: str) -> tuple[str, str]:
    """The record by which ACM knows a name in this account: another certificate of the same name tells it."""
    acm = client(user.box.endpoint, "acm", "us-west-2")
    arn = acm.request_certificate(DomainName=name, ValidationMethod="DNS")["CertificateArn"]
    [option] = acm.describe_certificate(CertificateArn=arn)["Certificate"]["DomainValidationOptions"]
    acm.delete_certificate(CertificateArn=arn)
    return option["ResourceRecord"]["Name"], option["ResourceRecord"]["Value"]


def proofs(zone: Zone) -> dict[tuple[str, str], str]:
    """The records that prove names to ACM, each with the mark beside it."""
    records = zone.records()
    proving = {one for (one, _), value in records.items() if "acm-validations" in value}
    return {key: value for key, value in records.items() if {key[0], key[0][8:]} & proving}


@pytest.fixture(scope="module")
def named(served: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Named:
    """The proof of one name stands there already: somebody made it for a certificate of their own."""
    user = User.before(served, tmp_path_factory.mktemp("domain"))
    zone = Zone.of(user)
    name, value = proof_of(user, ORIGIN)
    zone.change("CREATE", name, "CNAME", value)
    stack = Named(user, zone, inventory(user.box.endpoint), zone.records())
    user.apply(SUFFIX, *GUARDED, *zone.sets())
    return stack


def test_one_record_proves_a_name_for_both_certificates(named: Named) -> None:
    [edge], [balancer] = named.certificates("us-east-1"), named.certificates(REGION)
    proofs = [one for one, value in named.zone.records().items() if "acm-validations" in value]

    assert (edge["Status"], balancer["Status"]) == ("ISSUED", "ISSUED")
    assert edge["DomainName"] == balancer["DomainName"] == NAME
    assert sorted(balancer["SubjectAlternativeNames"]) == [NAME, ORIGIN]
    assert len(proofs) == 2


def test_cloudfront_serves_the_name_by_a_modern_tls_alone(named: Named) -> None:
    shown = named.edge()["ViewerCertificate"]

    assert named.edge()["Aliases"]["Items"] == [NAME]
    [certificate] = named.certificates("us-east-1")
    assert shown["ACMCertificateArn"] == certificate["CertificateArn"]
    assert (shown["SSLSupportMethod"], shown["MinimumProtocolVersion"]) == ("sni-only", "TLSv1.2_2021")


def test_cloudfront_calls_the_balancer_by_https_under_a_name_that_its_certificate_has(named: Named) -> None:
    [origin] = named.edge()["Origins"]["Items"]
    [certificate] = named.certificates(REGION)

    assert origin["CustomOriginConfig"]["OriginProtocolPolicy"] == "https-only"
    assert origin["DomainName"] in certificate["SubjectAlternativeNames"]
    assert named.zone.records()[origin["DomainName"], "A"] == named.balancer()["DNSName"]


def test_the_balancer_serves_by_https_and_sends_the_rest_there(named: Named) -> None:
    elbv2 = named.aws("elbv2")
    arn = named.balancer()["LoadBalancerArn"]
    at = {one["Port"]: one for one in elbv2.describe_listeners(LoadBalancerArn=arn)["Listeners"]}
    [plain] = elbv2.describe_rules(ListenerArn=at[80]["ListenerArn"])["Rules"]
    secure = elbv2.describe_rules(ListenerArn=at[443]["ListenerArn"])["Rules"]

    assert (at[443]["Protocol"], at[443]["SslPolicy"]) == ("HTTPS", "ELBSecurityPolicy-TLS13-1-2-Res-2021-06")
    [certificate] = named.certificates(REGION)
    assert at[443]["Certificates"] == [{"CertificateArn": certificate["CertificateArn"]}]
    assert plain["Actions"][0]["RedirectConfig"]["Protocol"] == "HTTPS"
    assert len(secure) > 3


def test_the_name_leads_to_cloudfront_by_both_kinds_of_address(named: Named) -> None:
    records = named.zone.records()

    assert records[NAME, "A"] == records[NAME, "AAAA"] == named.edge()["DomainName"]


def test_the_outputs_tell_the_url(named: Named) -> None:
    outputs = json.loads(named.desk.well("outputs", "--suffix", SUFFIX, "--format", "json").out)

    assert outputs["domain_url"] == f"https://{NAME}"
    assert not [one for one in outputs if one.startswith("dns_record")]


def test_a_record_of_somebody_else_is_refused_and_shown(named: Named) -> None:
    named.zone.change("CREATE", f"www.{named.zone.name}", "CNAME", "old.example")
    before = named.desk.mark()
    sets = named.zone.sets(NAME, f"www.{named.zone.name}")
    ran = named.desk.run("apply", "--yes", "--suffix", SUFFIX, *GUARDED, *sets)
    named.zone.change("DELETE", f"www.{named.zone.name}", "CNAME", "old.example")

    assert ran.code == 5
    assert "www.shop.example is CNAME old.example" in ran.err
    assert "or leave the name out of `domain.names`" in ran.err
    assert "suffix" not in ran.err.rpartition("CNAME old.example")[2]
    assert named.desk.acts(before) == ["route53:ChangeResourceRecordSets"]  # our own, of this test


def test_what_proves_a_name_is_told_to_stay_before_an_end(named: Named) -> None:
    told = named.desk.plan(SUFFIX, "--destroy")

    [record] = [name for name, of in proofs(named.zone) if of == "CNAME" and name.endswith("." + NAME)][:1]
    assert f"  = {record}: certificates of the account, in any region, may be renewed by it" in told
    assert "dns/proof-" not in told.split("Retained:")[0]


def test_a_changed_names_plan_says_of_its_proof_what_apply_does(named: Named) -> None:
    sets = (*GUARDED, *named.zone.sets(f"new.{named.zone.name}"))
    told = named.desk.plan(SUFFIX, *sets)
    [line] = named.desk.well("plan", "--json", "--suffix", SUFFIX, *sets).lines
    released = [one["node"] for one in line["changes"] if one["action"] == "release"]

    assert released
    assert all(one.startswith("proof-") for one in released)
    assert not [one for one in line["changes"] if one["action"] == "delete" and "proof-" in one["node"]]
    for node in released:
        assert re.search(rf"^  = domain/{node}: DnsName .*\(no longer declared; it stays: ", told, re.MULTILINE)
    assert f"{line['summary']['destroy']} to destroy, {len(released)} to release." in told


def test_the_question_before_an_end_does_not_count_the_proof_to_what_goes(named: Named) -> None:
    ran = named.desk.run("teardown", "--suffix", SUFFIX, "--region", REGION)
    [line] = named.desk.well("plan", "--destroy", "--json", "--suffix", SUFFIX).lines

    assert ran.code != 0
    going, _, left = ran.err.partition("\n= domain/proof-")
    assert f"These {line['summary']['destroy']} of" in going
    assert "proof-" not in going
    assert "is left standing: " in left
    assert "certificates of the account, in any region" in left


def test_a_proof_that_another_certificate_lives_by_outlives_its_name(named: Named) -> None:
    """It has a key of a type that ListCertificates leaves out."""
    acm = named.aws("acm", "us-east-1")
    asked = {"ValidationMethod": "DNS", "KeyAlgorithm": "EC_secp384r1"}
    theirs = acm.request_certificate(DomainName=NAME, **asked)["CertificateArn"]
    user, before = named.desk, proofs(named.zone)
    keys = [{"RecordName": NAME, "RecordType": "A"}, {"RecordName": f"_ml-api.{NAME}", "RecordType": "TXT"}]
    zone = {"HostedZoneId": named.zone.id}
    named.zone.route53.create_resource_record_set_protections(**zone, Protections=keys)
    mark, end = user.mark(), ("teardown", "--yes", "--suffix", SUFFIX, "--region", REGION)
    try:
        refused, planned = user.run(*end), user.run("plan", "--destroy", "--suffix", SUFFIX)
        untouched = user.tries(mark)
        ran = user.run(*end, "--unprotect")
    finally:
        acm.delete_certificate(CertificateArn=theirs)

    for told in (refused, planned):
        assert told.code == 5
        assert f"name-{NAME} (Route 53 protects its records of type A, TXT)" in told.err
    assert untouched == []
    assert (ran.code, proofs(named.zone)) == (0, before)
    assert f"the certificate {theirs}" in ran.err
    assert "in regions other than eu-west-1 and us-east-1, not asked" in ran.err
    assert user.run("verify-gone", "--suffix", SUFFIX, "--region", REGION).code == 0
    user.apply(SUFFIX, *GUARDED, *named.zone.sets())
    assert "No changes." in user.plan(SUFFIX, *GUARDED, *named.zone.sets())
    assert proofs(named.zone) == before


def test_an_apply_that_takes_a_protected_name_away_is_refused_before_and_leaves_its_proof(
    named: Named,
) -> None:
    """ChangeResourceRecordSets was refused in mid-apply, after the distribution had lost the name."""
    user, before = named.desk, proofs(named.zone)
    keys = [{"RecordName": NAME, "RecordType": "A"}, {"RecordName": f"_ml-api.{NAME}", "RecordType": "TXT"}]
    route53 = named.zone.route53
    route53.create_resource_record_set_protections(HostedZoneId=named.zone.id, Protections=keys)
    mark = user.mark()

    planned = user.run("plan", "--suffix", SUFFIX, *GUARDED)
    ran = user.run("apply", "--yes", "--suffix", SUFFIX, *GUARDED)

    assert (ran.code, user.tries(mark)) == (5, [])
    for text in (planned.out, ran.err):
        assert f"domain/name-{NAME}: " in text
        assert "is no longer declared, and is protected against deletion" in text
    (command,) = printed(ran.err)
    carry_out(user.box, command)
    user.apply(SUFFIX, *GUARDED)
    assert "No changes." in user.plan(SUFFIX, *GUARDED)
    assert named.zone.records() == before
    user.apply(SUFFIX, *GUARDED, *named.zone.sets())


def test_a_name_that_is_protected_before_it_is_made_or_set_back_is_told_before(named: Named) -> None:
    user, route53, zone = named.desk, named.zone.route53, {"HostedZoneId": named.zone.id}
    new = f"again.{named.zone.name}"
    key = [{"RecordName": new, "RecordType": "AAAA"}]
    route53.create_resource_record_set_protections(**zone, Protections=key)
    mark, sets = user.mark(), (*GUARDED, *named.zone.sets(NAME, new))
    ran = user.run("apply", "--yes", "--suffix", SUFFIX, *sets)
    assert (ran.code, user.tries(mark)) == (5, [])
    assert f"{new} is to be changed, and Route 53 protects its records of type AAAA" in ran.err
    (command,) = printed(ran.err)
    carry_out(user.box, command)

    sets = (*GUARDED, *named.zone.sets())
    [address] = [one for one in named.zone.listed() if (one["Name"], one["Type"]) == (f"{NAME}.", "A")]
    named.zone.batch(("DELETE", address))
    named.zone.change("CREATE", NAME, "A", "192.0.2.7")
    key = [{"RecordName": NAME, "RecordType": "A"}]
    route53.create_resource_record_set_protections(**zone, Protections=key)
    mark = user.mark()
    ran = user.run("apply", "--yes", "--suffix", SUFFIX, *sets)
    assert (ran.code, user.tries(mark)) == (5, [])
    (command,) = printed(ran.err)
    carry_out(user.box, command)
    user.apply(SUFFIX, *sets)
    assert named.zone.records()[NAME, "A"] == named.edge()["DomainName"]


def test_a_protected_name_that_moves_to_another_zone_is_told_before(named: Named) -> None:
    """Its records in the old zone were created in the new one, and could not be deleted in the old."""
    user, route53, zone = named.desk, named.zone.route53, {"HostedZoneId": named.zone.id}
    other = route53.create_hosted_zone(Name=named.zone.name, CallerReference="other")["HostedZone"]["Id"]
    moved = ("--set", f"domain.hosted_zone_id={other.rpartition('/')[2]}")
    key = [{"RecordName": NAME, "RecordType": "A"}]
    route53.create_resource_record_set_protections(**zone, Protections=key)

    told = user.run("plan", "--suffix", SUFFIX, *GUARDED, *named.zone.sets(), *moved).out

    (line,) = (one for one in told.splitlines() if "and is protected against deletion" in one)
    assert f"DnsName name-{NAME}" in line
    assert " is no longer declared, and is protected" in line
    (command,) = printed(told)
    carry_out(user.box, command)
    ran = user.run("plan", "--suffix", SUFFIX, *GUARDED, *named.zone.sets(), *moved)
    assert (ran.code, "is protected against deletion" in ran.out) == (0, False)
    route53.delete_hosted_zone(Id=other)


def test_a_list_of_protections_that_is_denied_is_a_warning_and_stops_no_plan(
    named: Named, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: Any) -> None:
        error = {"Error": {"Code": "AccessDenied", "Message": "no"}}
        raise ClientError(error, "ListResourceRecordSetProtections")

    monkeypatch.setattr("provisioner.resources.route53.read_protections", denied)
    new = f"again.{named.zone.name}"
    ran = named.desk.run("plan", "--suffix", SUFFIX, *GUARDED, *named.zone.sets(NAME, new))
    assert ran.code == 0, ran.err
    where = f"domain/name-{new}: whether name-{new} is protected from changes is not known: "
    assert f"{where}AWS denied ListResourceRecordSetProtections" in ran.out


def test_without_a_zone_the_records_to_make_are_told_and_waited_for(named: Named) -> None:
    told = ("--set", 'domain.names=["by.hand.example"]', "--set", "domain.wait=0")
    ran = named.desk.run("apply", "--yes", "--suffix", SUFFIX, *GUARDED, *told)

    assert ran.code == 9
    assert "issued-alb is not ready after 0 s; it waits for you." in ran.err
    asked = [line.split() for line in dict.fromkeys(ran.err.splitlines()) if " CNAME " in line]
    assert [name for name, *_ in asked][-1] == "origin.by.hand.example"
    assert "to be waited for" in named.desk.plan(SUFFIX, *GUARDED, *told)
    other = Zone.of(named.desk, "hand.example")
    for name, type_, value in asked:
        other.change("CREATE", name, type_, value)

    named.desk.apply(SUFFIX, *GUARDED, *told)

    outputs = json.loads(named.desk.well("outputs", "--suffix", SUFFIX, "--format", "json").out)
    assert outputs["dns_record_1"] == f"by.hand.example CNAME {named.edge()['DomainName']}"
    assert outputs["dns_record_origin"].endswith(named.balancer()["DNSName"])
    for name, type_, value in asked:
        other.change("DELETE", name, type_, value)
    other.route53.delete_hosted_zone(Id=other.id)


@pytest.mark.slow
def test_another_name_moves_everything_and_the_old_goes(named: Named) -> None:
    """The reply of the first request for a certificate, and of the first record, is lost on the way."""
    calls = ("acm:RequestCertificate", "route53:ChangeResourceRecordSets")
    named.desk.box.faults(*({"fault": "lost_reply", "operation": one} for one in calls))
    named.desk.apply(SUFFIX, *GUARDED, *named.zone.sets(f"new.{named.zone.name}"))
    named.desk.box.faults()

    assert named.edge()["Aliases"]["Items"] == ["new.shop.example"]
    [edge], [balancer] = named.certificates("us-east-1"), named.certificates(REGION)
    assert edge["DomainName"] == balancer["DomainName"] == "new.shop.example"
    left = {name for name, _ in named.zone.records() if name.endswith(NAME)}
    assert left == {name for name, _ in {**named.records, **proofs(named.zone)} if name.endswith(NAME)}


@pytest.mark.slow
def test_what_was_altered_by_hand_is_set_back_and_waited_for(named: Named) -> None:
    """The reply to the change is lost on the way: it is not sent again, and one that was told is watched."""
    sets = (*GUARDED, *named.zone.sets(f"new.{named.zone.name}"))
    [address] = [one for one in named.zone.listed() if (one["Name"], one["Type"]) == ("new.shop.example.", "A")]
    named.zone.batch(("DELETE", address))
    named.zone.change("CREATE", "new.shop.example", "A", "192.0.2.7")

    told = named.desk.plan(SUFFIX, *sets)
    named.desk.box.faults({"fault": "lost_reply", "operation": "route53:ChangeResourceRecordSets"})
    named.desk.apply(SUFFIX, *sets)
    named.desk.box.faults()

    assert "192.0.2.7" in told
    assert named.zone.records()["new.shop.example", "A"] == named.edge()["DomainName"]
    [address] = [one for one in named.zone.listed() if one["Name"] == "new.shop.example." and one["Type"] == "A"]
    named.zone.batch(("DELETE", address))
    named.zone.change("CREATE", "new.shop.example", "A", "192.0.2.7")
    before = named.desk.mark()
    named.desk.apply(SUFFIX, *sets)
    assert "GetChange" in {call["operation"] for call in named.desk.box.calls(before)}


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("domain.hosted_zone_id=ZNONE", "there is no hosted zone ZNONE"),
        ('domain.names=["api.other.example"]', "api.other.example does not lie in the zone shop.example"),
        ("domain.certificate_arn=arn:aws:acm:us-east-1:123456789012:certificate/none", "there is no cert"),
    ],
)
def test_what_would_fail_later_is_told_before_anything_is_made(named: Named, setting: str, told: str) -> None:
    before = named.desk.mark()
    sets = (*GUARDED, *named.zone.sets(f"again.{named.zone.name}"), "--set", setting)
    ran = named.desk.run("apply", "--yes", "--suffix", SUFFIX, *sets)

    assert (ran.code, named.desk.acts(before)) == (5, [])
    assert told in ran.err


@pytest.mark.slow
def test_its_end_needs_no_ledger_and_leaves_what_others_made(named: Named) -> None:
    named.desk.ledger(SUFFIX).unlink()
    named.desk.teardown(SUFFIX, "--region", REGION)

    assert named.zone.records() == {**named.records, **proofs(named.zone)}
    assert inventory(named.desk.box.endpoint) == named.empty
    assert named.certificates(REGION) == []


@pytest.mark.slow
def test_a_teardown_of_a_lost_state_that_was_killed_while_it_adopted_goes_on_with_domain_and_readers(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    zone = Zone.of(user)
    empty, records = inventory(user.box.endpoint), zone.records()
    user.well(
        "apply", "--yes", "--suffix", SUFFIX, "--set", "profile=seed", "--set", "database.readers=1", *zone.sets()
    )
    user.ledger(SUFFIX).unlink()
    adopted: list[str] = []

    def adopt_one(*given: Any) -> None:
        if adopted:
            raise KeyboardInterrupt
        adopted.append("one")
        adopt(*given)

    with monkeypatch.context() as killed:
        killed.setattr(apply, "adopt", adopt_one)
        user.run("teardown", "--yes", "--suffix", SUFFIX)
    assert len(user.known(SUFFIX)["entries"]) == 1

    user.teardown(SUFFIX)

    assert zone.records() == {**records, **proofs(zone)}
    assert inventory(user.box.endpoint) == empty


@pytest.mark.slow
def test_a_certificate_of_ones_own_is_used_and_checked_first(user: User) -> None:
    named = Named(user, Zone.of(user), {}, {})
    acm = named.aws("acm", "us-east-1")
    arn = acm.request_certificate(DomainName="*.shop.example", ValidationMethod="DNS")["CertificateArn"]
    sets = (*GUARDED, *named.zone.sets(NAME), "--set", f"domain.certificate_arn={arn}")
    pending = user.run("apply", "--yes", "--suffix", SUFFIX, *sets)
    name, value = proof_of(user, named.zone.name)
    named.zone.change("CREATE", name, "CNAME", value)

    user.apply(SUFFIX, *sets)

    assert pending.code == 5
    assert f"{arn} is not issued but PENDING_VALIDATION" in pending.err
    assert named.edge()["ViewerCertificate"]["ACMCertificateArn"] == arn
    user.ledger(SUFFIX).unlink()
    user.teardown(SUFFIX, "--region", REGION)
    assert [one["CertificateArn"] for one in named.certificates("us-east-1")] == [arn]
    assert named.certificates(REGION) == []
    theirs = {(name.rstrip("."), "CNAME"): value.rstrip(".")}
    assert named.zone.records() == {**theirs, **proofs(named.zone)}
