"""The security posture of the production profile: each control once, and every exception with its reason.

A control says what must hold, why, which setting weakens it, and what it costs a month in us-east-1 for an
idle stack. It is judged on what is declared; tests/stack/test_production.py judges the same stack by AWS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from provisioner.engine.resource_graph.graph import Stack
from provisioner.settings.schema import setting_schemas
from tests.support.security_controls import (
    behaviour,
    containers,
    endless_logs,
    lasting_secrets,
    loose_containers,
    loose_trust,
    missing_alarms,
    none,
    of,
    open_doors,
    open_ways,
    origin,
    plain_bucket,
    plain_data,
    plain_secrets,
    production,
    unguarded_rules,
    unmeasured,
    without,
)

# What breaks a control and is accepted, with its reason.
# docs/explanation/security-model.md names each of them.
ACCEPTED = {
    "edge-to-balancer-tls": "without a domain there is no certificate that the load balancer could show; the "
    "key in the header and the rest of the request cross AWS's network in plain HTTP",
    "viewer-tls-1.2": "CloudFront's default certificate takes TLS 1.0 too; a domain of one's own ends that",
    "topics-encrypted": "CloudWatch cannot publish to a topic under alias/aws/sns: alarms would be silent; a "
    "key of one's own is a setting (`encryption.key`), as it costs money and outlives what is under it",
    "data-under-a-key-of-ones-own": "everything is encrypted under AWS's keys; one of the stack's own costs "
    "money and outlives what is under it",
    "balancer-to-tasks-tls": "most images speak plain HTTP; it stays inside the VPC, between two groups in "
    "which nobody else is, and the balancer would check no certificate",
    "containers-not-root": "the image says as whom it runs, as another cannot read its files; the "
    "placeholder's is not root, and root with no capability and no root file system to write can do little",
    "database-in-two-zones": "a reader costs as much as the writer; the data are in three zones either way, "
    "and a writer that is lost is made again in minutes",
    "database-measured": "what the alarms measure costs nothing; enhanced monitoring writes to a log group "
    "of the whole account",
    "key-changes-by-itself": "a change of the origin key takes CloudFront minutes and is a command "
    "(`rotate-origin-secret`), which any schedule can give",
    "logs-kept-for-a-year": "what was logged may be personal data; how long it must be kept is for whoever "
    "runs it to say",
    "firewall-at-the-balancer": "it stands before CloudFront, and the balancer answers CloudFront alone",
    "tasks-reach-named-places": "registries, models and AWS itself are at addresses that change; it is port 443 alone",
    "network-lists": "the groups, which know connections, decide who speaks to whom; a list of addresses "
    "beside them would say the same again",
    "endpoints-for-this-account": "through S3's come the layers of every image, which AWS signs for itself; "
    "what may be asked of either the task's role says",
    "bucket-kept-twice": "records are written once and expire; what records who reads them would need a "
    "bucket of its own",
    "edge-fails-over": "the stack is in one region: there is no second origin to go to",
    "edge-has-a-root-page": "an API has none; its own answer is given",
    "edge-by-country": "who may call from where is for whoever runs it to say",
    "database-port": "the port is no secret; its group lets in the tasks alone",
    "statements-logged": "statements hold personal data; those that take over a second are logged",
}


@dataclass(frozen=True)
class Control:
    """One thing that must hold: why, the setting that weakens it, its cost, and what breaks it."""

    name: str
    why: str
    setting: str
    cost: str
    broken: Callable[[Stack], Iterator[str]]


# What no longer breaks one, where there is a domain.
DOMAIN = ('domain.names=["api.shop.example"]', "domain.hosted_zone_id=Z0123456789ABCDEFGHIJ")
MENDED = {"edge-to-balancer-tls", "viewer-tls-1.2"}


CONTROLS = [
    Control(
        "vpc-flow-logs",
        "who spoke to whom can be looked up after an incident",
        "network.flow_logs",
        "0.50 USD per GB",
        lambda stack: without(stack, "FlowLog", lambda p: p["TrafficType"] == "ALL"),
    ),
    Control(
        "default-group-bare",
        "what is put into the default group by mistake speaks to nobody",
        "network.bare_default_group",
        "nothing",
        lambda stack: (
            f"no {type_name}" for type_name in ("BareDefaultIngress", "BareDefaultEgress") if not of(stack, type_name)
        ),
    ),
    Control(
        "no-open-door",
        "nobody reaches the load balancer past CloudFront and its firewall",
        "edge.guard",
        "nothing",
        open_doors,
    ),
    Control(
        "origin-key-required",
        "CloudFront's addresses are every customer's: the key says which distribution calls",
        "edge.guard",
        "0.40 USD (one secret)",
        unguarded_rules,
    ),
    Control(
        "viewers-use-https",
        "what a viewer sends is read by nobody on the way",
        "none",
        "nothing",
        lambda stack: without(
            stack, "Distribution", lambda p: behaviour(p)["ViewerProtocolPolicy"] == "redirect-to-https"
        ),
    ),
    Control(
        "viewer-tls-1.2",
        "older versions of TLS can be broken",
        "domain.names",
        "nothing",
        lambda stack: without(stack, "Distribution", lambda p: "MinimumProtocolVersion" in p["ViewerCertificate"]),
    ),
    Control(
        "edge-to-balancer-tls",
        "what CloudFront sends on is read by nobody on the way",
        "domain.names",
        "nothing",
        lambda stack: without(stack, "Distribution", lambda p: origin(p)["OriginProtocolPolicy"] == "https-only"),
    ),
    Control(
        "security-headers",
        "a browser that came once comes by HTTPS alone, and guesses no types",
        "edge.security_headers",
        "nothing",
        lambda stack: without(stack, "Distribution", lambda p: bool(behaviour(p)["ResponseHeadersPolicyId"])),
    ),
    Control(
        "firewall",
        "known attacks and floods end before they reach a task",
        "waf.enabled",
        "9 USD, and 0.60 USD per million requests",
        lambda stack: without(stack, "WebACL", lambda p: len(p["Rules"]) >= 4),
    ),
    Control(
        "firewall-logged",
        "what was blocked can be looked up",
        "waf.logs",
        "0.50 USD per GB",
        lambda stack: without(stack, "WebACLLog", lambda p: bool(p["RedactedFields"])),
    ),
    Control(
        "requests-recorded",
        "who asked for what can be looked up",
        "logs.requests",
        "0.023 USD per GB",
        lambda stack: (
            *without(stack, "LoadBalancerAttributes", lambda p: p["Attributes"]["access_logs.s3.enabled"] == "true"),
            *without(stack, "DeliverySource", lambda p: p["logType"] == "ACCESS_LOGS"),
            *without(stack, "Delivery", lambda _props: True),
        ).__iter__(),
    ),
    Control(
        "records-private",
        "records of requests are personal data: private, encrypted, passing, over TLS only",
        "logs.requests",
        "nothing",
        plain_bucket,
    ),
    Control(
        "bad-headers-dropped",
        "a malformed header is how requests are smuggled",
        "none",
        "nothing",
        lambda stack: without(
            stack,
            "LoadBalancerAttributes",
            lambda p: p["Attributes"]["routing.http.drop_invalid_header_fields.enabled"] == "true",
        ),
    ),
    Control(
        "containers-can-do-little",
        "who takes over a container writes nothing that stays and has no capability to climb with",
        "container.readonly_root, container.drop_capabilities, service.exec",
        "nothing",
        loose_containers,
    ),
    Control(
        "secrets-by-reference",
        "an environment variable is told by every DescribeTaskDefinition",
        "none",
        "nothing",
        plain_secrets,
    ),
    Control(
        "no-shell-in-tasks",
        "who may call ExecuteCommand is not root in a container that holds the database's login",
        "service.exec",
        "nothing",
        lambda stack: without(stack, "Service", lambda p: p["enableExecuteCommand"] is False),
    ),
    Control(
        "no-public-addresses",
        "what is started in a public subnet by mistake is not reached from the internet",
        "none",
        "nothing",
        lambda stack: without(stack, "Subnet", lambda p: p["MapPublicIpOnLaunch"] is False),
    ),
    Control(
        "tasks-private",
        "a task has no public address",
        "none",
        "nothing",
        lambda stack: without(
            stack,
            "Service",
            lambda p: p["networkConfiguration"]["awsvpcConfiguration"]["assignPublicIp"] == "DISABLED",
        ),
    ),
    Control(
        "database-private-and-encrypted",
        "the data is reached from the tasks alone, and read from no disk",
        "none",
        "nothing",
        lambda stack: (
            *without(stack, "DBCluster", lambda p: p["StorageEncrypted"] is True),
            *without(stack, "DBInstance", lambda p: p["PubliclyAccessible"] is False),
        ).__iter__(),
    ),
    Control(
        "database-tls",
        "a connection without TLS is refused",
        "none",
        "nothing",
        lambda stack: without(stack, "DBClusterParameters", lambda p: p["Parameters"].get("rds.force_ssl") == "1"),
    ),
    Control(
        "database-login-by-role",
        "a login that lasts 15 minutes cannot be stolen for longer",
        "database.iam_login",
        "nothing",
        lambda stack: without(stack, "DBCluster", lambda p: p["EnableIAMDatabaseAuthentication"] is True),
    ),
    Control(
        "snapshots-tagged",
        "whose data a snapshot holds is told, and policies by tag hold for it",
        "database.tag_snapshots",
        "nothing",
        lambda stack: without(stack, "DBCluster", lambda p: p["CopyTagsToSnapshot"] is True),
    ),
    Control(
        "data-protected",
        "no single command deletes the data",
        "protect_data",
        "the last snapshot's storage, after a teardown",
        lambda stack: (
            *without(stack, "DBCluster", lambda p: p["DeletionProtection"] and not p["SkipFinalSnapshot"]),
            *without(stack, "Table", lambda p: p["DeletionProtectionEnabled"] is True),
            *without(
                stack,
                "LoadBalancerAttributes",
                lambda p: p["Attributes"]["deletion_protection.enabled"] == "true",
            ),
        ).__iter__(),
    ),
    Control(
        "data-backed-up",
        "what was deleted or spoilt can be brought back",
        "database.backup_days, table.point_in_time_recovery",
        "0.20 USD per GB of the table",
        lambda stack: (
            *without(stack, "DBCluster", lambda p: p["BackupRetentionPeriod"] >= 7),
            *without(
                stack,
                "PointInTimeRecovery",
                lambda p: p["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"],
            ),
        ).__iter__(),
    ),
    Control(
        "roles-capped",
        "no role goes beyond what is declared now, whatever anyone adds to it later",
        "roles.boundary",
        "nothing",
        lambda stack: without(stack, "Role", lambda p: bool(p.get("PermissionsBoundary"))),
    ),
    Control(
        "roles-bound",
        "no other account makes a service of AWS act with these roles",
        "roles.bound_trust",
        "nothing",
        loose_trust,
    ),
    Control("logs-expire", "logs are kept as long as they are needed", "logs.days", "nothing", endless_logs),
    Control("watched", "what is not well rings", "alarms.enabled", "1.10 USD (eleven alarms)", missing_alarms),
    Control(
        "topics-encrypted",
        "what rings is read by those who are meant",
        "encryption.key",
        "1 USD a key, one in the stack's region and one in us-east-1",
        lambda stack: without(stack, "Topic", lambda p: "KmsMasterKeyId" in p.get("Attributes", {})),
    ),
    Control(
        "data-under-a-key-of-ones-own",
        "who may use the key says who reads the data, and its end is theirs",
        "encryption.key",
        "1 USD a key, one in the stack's region and one in us-east-1",
        plain_data,
    ),
    Control(
        "minor-versions",
        "what is mended in PostgreSQL is mended here in the next maintenance window",
        "none",
        "nothing",
        lambda stack: without(stack, "DBInstance", lambda p: p.get("AutoMinorVersionUpgrade", True) is True),
    ),
    Control(
        "balancer-to-tasks-tls",
        "what the balancer sends on is read by nobody on the way",
        "container.protocol",
        "nothing",
        lambda stack: without(stack, "TargetGroup", lambda p: p["Protocol"] == "HTTPS"),
    ),
    Control(
        "containers-not-root",
        "who takes over a container is nobody in particular in it",
        "image",
        "nothing",
        lambda stack: (one["name"] for one in containers(stack) if one.get("user", "root") in ("root", "0", "0:0")),
    ),
    Control(
        "database-in-two-zones",
        "another instance takes over when a zone is lost",
        "database.readers",
        "43.80 USD (half a capacity unit)",
        lambda stack: iter(() if len(of(stack, "DBInstance")) > 1 else ("writer",)),
    ),
    Control(
        "database-measured",
        "what ails the database's machine is seen",
        "database.monitoring, database.insights",
        "0.50 USD per GB",
        unmeasured,
    ),
    Control(
        "key-changes-by-itself",
        "what was read once is of no use for long",
        "none",
        "nothing",
        lasting_secrets,
    ),
    Control(
        "logs-kept-for-a-year",
        "an intrusion is often found months later",
        "logs.days",
        "0.03 USD per GB",
        lambda stack: without(stack, "Retention", lambda p: p["retentionInDays"] >= 365),
    ),
    Control(
        "firewall-at-the-balancer",
        "whoever comes past CloudFront meets one too",
        "none",
        "9 USD",
        none("WebACLAssociation"),
    ),
    Control(
        "tasks-reach-named-places",
        "what is taken over sends nothing to whom it likes",
        "network.nat",
        "interface endpoints instead of NAT",
        open_ways,
    ),
    Control(
        "network-lists",
        "a second list stands where a group is opened by mistake",
        "none",
        "nothing",
        none("NetworkAcl"),
    ),
    Control(
        "endpoints-for-this-account",
        "nobody carries data through them into another account",
        "none",
        "nothing",
        lambda stack: without(stack, "VpcEndpoint", lambda p: "PolicyDocument" in p),
    ),
    Control(
        "bucket-kept-twice",
        "what was deleted can be brought back, and who did it is known",
        "none",
        "the bucket's storage again",
        none("BucketVersioning"),
    ),
    Control(
        "edge-fails-over",
        "another region answers when this one does not",
        "none",
        "the stack again",
        lambda stack: without(stack, "Distribution", lambda p: bool(p["OriginGroups"]["Items"])),
    ),
    Control(
        "edge-has-a-root-page",
        "the address itself shows nothing that was not meant",
        "none",
        "nothing",
        lambda stack: without(stack, "Distribution", lambda p: bool(p.get("DefaultRootObject"))),
    ),
    Control(
        "edge-by-country",
        "who has no business here is not answered",
        "none",
        "nothing",
        lambda stack: without(stack, "Distribution", lambda p: "Restrictions" in p),
    ),
    Control(
        "database-port",
        "who tries the usual port finds nothing",
        "none",
        "nothing",
        lambda stack: without(stack, "DBCluster", lambda p: p.get("Port", 5432) != 5432),
    ),
    Control(
        "statements-logged",
        "what was asked of the data can be looked up",
        "none",
        "0.50 USD per GB",
        lambda stack: without(stack, "DBClusterParameters", lambda p: "log_statement" in p["Parameters"]),
    ),
]


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.name)
def test_the_production_profile_holds_a_control_or_says_why_not(control: Control) -> None:
    broken = list(control.broken(production()))

    assert bool(broken) == (control.name in ACCEPTED), broken


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.name)
def test_with_a_domain_it_holds_those_of_tls_too(control: Control) -> None:
    broken = list(control.broken(production(*DOMAIN)))

    assert bool(broken) == (control.name in ACCEPTED.keys() - MENDED), broken


def test_each_control_is_stated_once_with_all_that_is_to_be_said_of_it() -> None:
    names = [control.name for control in CONTROLS]
    known = setting_schemas().keys()

    assert len(names) == len(set(names))
    assert ACCEPTED.keys() <= set(names)
    model = (Path(__file__).parents[2] / "docs" / "explanation" / "security-model.md").read_text()
    assert [name for name in ACCEPTED if f"`{name}`" not in model] == []
    for control in CONTROLS:
        assert all((control.why, control.setting, control.cost))
        if control.setting != "none" and " " not in control.setting.replace(", ", ""):
            assert set(control.setting.split(", ")) <= known
