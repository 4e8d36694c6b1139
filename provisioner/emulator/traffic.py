"""Client traffic: the answers of load balancers and distributions, by listener rules and tasks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from ipaddress import ip_address, ip_network
from typing import Any

from moto.backends import get_backend

from provisioner.emulator.ecs.model import Task, all_tasks
from provisioner.emulator.ecs.targets import health_problem
from provisioner.emulator.ecs.tasks import status_at
from provisioner.emulator.hooks import behaviours
from provisioner.emulator.http_server import ConnectionDropped
from provisioner.emulator.moto_bridge import backend, list_moto
from provisioner.emulator.patches.cloudfront_distributions import config_of_host
from provisioner.emulator.wire import ACCOUNT, AccountRegion, Environ, Response

_BALANCERS, _EDGE = ".elb.amazonaws.com", ".cloudfront.net"
_WORDS = {403: "Forbidden", 404: "Not Found", 502: "Bad Gateway", 503: "Service Temporarily Unavailable"}
_HTTP, _HTTPS = 80, 443
Headers = Mapping[str, str]
# The client's address, for rules with a source-ip condition (RFC 5737, 3).
_FROM = ip_address("203.0.113.1")


def is_visitor(environ: Environ) -> bool:
    """Return whether a request is for a load balancer or distribution, and not for the AWS API."""
    return _host(environ).endswith((_BALANCERS, _EDGE))


def visit(environ: Environ) -> Response:
    """Answer a request to a load balancer or distribution.

    Raises:
        ConnectionDropped: Nothing listens there, or a security group does not let the request in.

    """
    host, path = _host(environ), str(environ["PATH_INFO"])
    if host.endswith(_EDGE):
        return _answer_of_distribution(host, path)
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): str(value)
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    return _answer_of_balancer(host, path, headers, port=_HTTP, from_edge=False)


def _host(environ: Environ) -> str:
    """Return the host of a request, in lower case and without the port."""
    return str(environ.get("HTTP_HOST", "")).partition(":")[0].lower()


def _answer_of_distribution(host: str, path: str) -> Response:
    """Answer as a distribution: add its headers, ask the origin, and return 502 if that does not answer."""
    config = config_of_host(ACCOUNT, host)
    if config is None or not config["Enabled"]:
        raise ConnectionDropped
    (origin,) = config["Origins"]["Items"]
    added = origin.get("CustomHeaders", {}).get("Items", [])
    headers = {header["HeaderName"].lower(): header["HeaderValue"] for header in added}
    protocol = origin.get("CustomOriginConfig", {}).get("OriginProtocolPolicy", "http-only")
    port = _HTTPS if protocol == "https-only" else _HTTP
    try:
        return _answer_of_balancer(origin["DomainName"].lower(), path, headers, port=port, from_edge=True)
    except ConnectionDropped:
        return _text_response(502)


def _answer_of_balancer(host: str, path: str, headers: Headers, *, port: int, from_edge: bool) -> Response:
    """Answer as the load balancer of a host, by the first matching listener rule (AWS doc, listener rules).

    `from_edge` says that CloudFront makes the request.

    Raises:
        ConnectionDropped: No load balancer or listener is there, or no security group lets the request in.

    """
    for (account, region), balancers in _balancers().items():
        place = AccountRegion(account, region)
        matching = [one for one in balancers if one.dns_name.lower() == host]
        # CloudFront may use a custom domain; its DNS records may be unknown here, so any balancer will do.
        for balancer in matching or (balancers if from_edge else []):
            if not _allows_request(place, balancer, port, from_edge=from_edge):
                raise ConnectionDropped
            listeners = list_moto(place, "elbv2", "DescribeListeners", LoadBalancerArn=balancer.arn)["Listeners"]
            listener = next((one for one in listeners if one["Port"] == port), None)
            if listener is None:
                raise ConnectionDropped
            rules = list_moto(place, "elbv2", "DescribeRules", ListenerArn=listener["ListenerArn"])["Rules"]
            rules.sort(key=lambda one: (one["IsDefault"], 0 if one["IsDefault"] else int(one["Priority"])))
            rule = next(one for one in rules if all(meets_condition(each, path, headers) for each in one["Conditions"]))
            return _run_action(place, rule["Actions"][-1], path)
    raise ConnectionDropped


def _balancers() -> dict[tuple[str, str], list[Any]]:
    """Return the load balancers by account and region."""
    regions = get_backend("elbv2")[ACCOUNT]
    return {(ACCOUNT, str(name)): list(regional.load_balancers.values()) for name, regional in regions.items()}


def _allows_request(place: AccountRegion, balancer: Any, port: int, *, from_edge: bool) -> bool:
    """Return whether a load balancer's security groups allow a request; an internal one allows CloudFront."""
    if not behaviours.on:
        return True
    if balancer.scheme == "internal":
        return from_edge
    ec2 = backend("ec2", place.account, place.region)
    groups = [each for each in map(ec2.get_security_group_from_id, balancer.security_groups or []) if each]
    rules = [rule for group in groups for rule in group.ingress_rules]
    matching = [each for each in rules if _covers(each, port)]
    return any(each.ip_range or (from_edge and each.prefix_list_id) for each in matching)


def _covers(rule: Any, port: int) -> bool:
    """Return whether a security group rule includes a port."""
    return str(rule.ip_protocol) == "-1" or int(rule.from_port) <= port <= int(rule.to_port)


def meets_condition(condition: dict[str, Any], path: str, headers: Headers) -> bool:
    """Return whether a request meets a rule's condition (AWS doc, condition types for listener rules).

    Other conditions than path, header and source address always match.
    """
    if condition["Field"] == "path-pattern":
        values = condition.get("Values") or condition["PathPatternConfig"]["Values"]
        return any(fnmatchcase(path, value) for value in values)
    if condition["Field"] == "http-header":
        expected = condition["HttpHeaderConfig"]
        header = headers.get(expected["HttpHeaderName"].lower(), "")
        return any(fnmatchcase(header, value) for value in expected["Values"])
    if condition["Field"] == "source-ip":
        return any(_FROM in ip_network(value) for value in condition["SourceIpConfig"]["Values"])
    return True


def _run_action(place: AccountRegion, action: dict[str, Any], path: str) -> Response:
    """Run a rule's action: a fixed response, a redirect, or the answer of a healthy task (503 if none is)."""
    if action["Type"] == "fixed-response":
        fixed = action["FixedResponseConfig"]
        return _response(int(fixed["StatusCode"]), fixed.get("MessageBody", ""))
    if action["Type"] == "redirect":
        return _text_response(int(str(action["RedirectConfig"]["StatusCode"]).removeprefix("HTTP_")))
    serving = _healthy_task(place, _target_group(action))
    if serving is None:
        return _text_response(503)
    status = status_at(serving, path)
    return _response(status, json.dumps({"task": serving.id, "path": path}), "application/json")


def _target_group(action: dict[str, Any]) -> str:
    """Return the target group of an action; of several, the one with the highest weight."""
    weighted = action.get("ForwardConfig", {}).get("TargetGroups", [])
    heaviest: dict[str, Any] = max(weighted, key=lambda each: int(each.get("Weight", 1)), default={})
    return str(action.get("TargetGroupArn") or heaviest.get("TargetGroupArn", ""))


def _healthy_task(place: AccountRegion, group: str) -> Task | None:
    """Return a healthy task of a target group, or None."""
    for task in all_tasks(place):
        load_balancers: Iterable[dict[str, Any]] = task.spec.get("loadBalancers", [])
        joined_group = next((each for each in load_balancers if each.get("targetGroupArn") == group), None)
        if joined_group and task.healthy and not health_problem(task, group, joined_group["containerPort"]):
            return task
    return None


def _text_response(status: int) -> Response:
    """Return a text response with the status and its reason."""
    return _response(status, f"{status} {_WORDS.get(status, '')}".strip())


def _response(status: int, body: str, kind: str = "text/plain") -> Response:
    """Return a response with a body of the content type `kind`."""
    return Response(status, {"Content-Type": kind}, body.encode())
