"""Tests whether a service answers its users: through CloudFront, and at the load balancer behind it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError, ProxyConnectionError

from provisioner.bounded_http import over_http
from provisioner.engine.calls.error_categories import ErrorCategory, categorize
from provisioner.engine.calls.hints import hint_for
from provisioner.engine.denials import Denial
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.errors import Unhealthy
from provisioner.path_patterns import probe
from provisioner.resources.elbv2.routing import matching_rule, path_values, rules_of, target_groups_of
from provisioner.session import Session
from provisioner.steps.ecs import CONTAINER
from provisioner.terminal.console import Console, table
from provisioner.workflows.service_controller import ServiceController
from state.serialization import json_fields

EDGE, BALANCER = "CloudFront", "load balancer"
_PATIENCE, _PAUSE, _TRIES = 10.0, 2.0, 3
_WELL, _REDIRECTS, _REFUSED, _FORBIDDEN, _BROKEN = 200, range(300, 400), 400, 403, 500
_MOST_WORDS = 100
# Faults of this machine or of its proxy: they say nothing of the service.
_NOT_OF_THE_DOOR = frozenset({ErrorCategory.UNTRUSTED, ErrorCategory.PROXY_REFUSED})
_NOT_ASKED = "not asked"
# The rules that ask for CloudFront's key, on port 80 and on 443.
_GUARDED = frozenset({"rule-guarded", "tls-rule-guarded"})
_CLOSED = "closed to all but CloudFront"
_OPEN = "open, though CloudFront alone is to call it"


@dataclass(frozen=True)
class SmokeRequest:
    """One request and its result; `status` is None if nobody answered."""

    via: str
    path: str
    status: int | None
    why: str = ""
    is_asked: bool = True


@dataclass(frozen=True)
class EntryPoint:
    """An entrance for requests; if it is closed, only CloudFront is to be answered."""

    via: str
    url: str
    closed: bool = False


def judge_response(one: SmokeRequest, health: str, *, closed: bool) -> tuple[bool, str]:
    """Return whether an answer is as it should be, and in words what it means."""
    told = str(one.status or "no answer")
    if not one.is_asked:
        return True, one.why
    if closed:
        shut = one.status in (None, _FORBIDDEN)
        return shut, f"{told}: {_CLOSED if shut else _OPEN}"
    if one.status is None:
        return False, f"no answer: {one.why}"
    if one.via == BALANCER and one.status in _REDIRECTS:
        return True, f"{told}: leads on to HTTPS"
    if one.path == health:
        return one.status == _WELL, told
    if one.status >= _BROKEN:
        return False, told
    return True, told if one.status < _REFUSED else f"{told}: said by the image"


def smoke(console: Console, service: ServiceController) -> None:
    """Request the health path and a path of each prefix, at every entrance.

    Raises:
        Unwell: An answer is not as it should be.

    """
    session, health = service.session, _health(service)
    if session.aws.local:
        console.note("Smoke test, answered by the embedded AWS: by its rules and its tasks' health.", "dim")
    rows, bad = [], []
    rules = _rules(console, service)
    own = [health] if not _strayed(service, rules, health) else []
    paths = [*own, *_paths(service, rules)]
    astray = {path: who for path in paths if (who := _strayed(service, rules, path))}
    for door in _doors(session):
        for path in [health] if door.closed else paths:
            visit, (well, words) = _tried(session, door, path, health)
            if well and visit.is_asked and path in astray and not door.closed:
                well, words = False, f"{words}, {astray[path]}"
            if console.as_json:
                console.record("smoke", **json_fields(visit), well=well, words=words)
            mark = "  ok  " if well else "  BAD "
            rows.append((mark if visit.is_asked else "  ?   ", door.via, path, words))
            bad += [] if well else [f"{path} over {door.via}: {words}"]
    for line in table(rows, ("     ", "over", "path", "answer")):
        console.note(line, "dim")
    if bad:
        raise _unwell(service, bad, astray=bool(astray))


def _unwell(service: ServiceController, bad: list[str], *, astray: bool) -> Unhealthy:
    """Return the error that names the bad answers and the way back, or that the service is to run no task."""
    workspace, suffix = service.session.options.workspace, service.session.suffix
    look, back = workspace.command("doctor", suffix), workspace.command("rollback", suffix)
    if not service.desired_count:
        return Unhealthy(
            f"{service.title} is rolled out, and nothing answers: it is to run no task.",
            f"`{look}` tells what to type; where none is meant to run, --no-smoke asks nobody.",
        )
    if astray:
        back = workspace.command("apply", suffix)
    return Unhealthy(
        f"{service.title} is rolled out and does not answer as it should:\n    " + "\n    ".join(bad),
        f"`{look}` looks for the cause; `{back}` {'puts the rules in order' if astray else 'goes back'}.",
    )


def _tried(session: Session, door: EntryPoint, path: str, health: str) -> tuple[SmokeRequest, tuple[bool, str]]:
    """Request a path, and repeat that if the answer is bad: a new target takes a moment."""
    for last in (n == _TRIES - 1 for n in range(_TRIES)):
        visit = _visit(session, door, path)
        verdict = judge_response(visit, health, closed=door.closed)
        if verdict[0] or last:
            break
        session.clock.sleep(max(_PAUSE * session.aws.speed, 0.05))
    return visit, verdict


def _visit(session: Session, door: EntryPoint, path: str) -> SmokeRequest:
    """Send a GET request, without following redirects; local AWS is asked by the entrance's host name.

    Certificates are trusted and proxies are used as boto3 does.
    """
    emulator = session.aws.local
    where = emulator.endpoint if emulator else door.url
    headers = {"Host": door.url.partition("://")[2]} if emulator else {}
    request = AWSRequest("GET", f"{where}{path}", headers=headers).prepare()
    try:
        answer = over_http(where, within=_PATIENCE, is_local=bool(emulator)).send(request)
    except Exception as error:
        category = categorize(error)
        if category is None:
            raise
        if category in _NOT_OF_THE_DOOR or isinstance(error, ProxyConnectionError):
            return SmokeRequest(door.via, path, None, f"{_NOT_ASKED}: {hint_for(error)}", is_asked=False)
        return SmokeRequest(door.via, path, None, f"{type(error).__name__}: {error}"[:_MOST_WORDS])
    return SmokeRequest(door.via, path, answer.status_code)


def _doors(session: Session) -> Iterator[EntryPoint]:
    """Yield the entrances of the stack: CloudFront, and the load balancer."""
    outputs, resource_states = session.state.outputs, session.state.resources
    if url := outputs.get("cloudfront_distribution_url"):
        yield EntryPoint(EDGE, url)
    if name := outputs.get("alb_dns_name"):
        balancer = resource_states.get("alb")
        internal = bool(balancer and balancer.desired.get("Scheme") == "internal")
        yield EntryPoint(BALANCER, f"http://{name}", closed=internal or bool(_GUARDED & resource_states.keys()))


def _health(service: ServiceController) -> str:
    """Return the path of the service's health check."""
    group = service.session.state.resources.get(service.part_id("tg"))
    return str(group.desired["HealthCheckPath"]) if group else "/health"


def _paths(service: ServiceController, rules: list[JsonObject]) -> list[str]:
    """Return a path for each pattern that leads to the service; if possible, no earlier rule takes it."""
    ahead = sorted((rule for rule in rules if not rule["IsDefault"]), key=lambda rule: int(rule["Priority"]))
    order = [pattern for rule in ahead for pattern in path_values(rule)]
    mine = _patterns(service)
    places = [(at, pattern) for at, pattern in enumerate(order) if pattern in mine]
    found = {probe(pattern, order[:at]) or _below(pattern) for at, pattern in places}
    return sorted(found | {_below(pattern) for pattern in mine.difference(order)})


def _below(pattern: str) -> str:
    """Return a path that matches a pattern."""
    return pattern.replace("*", "").replace("?", "x") or "/"


def _patterns(service: ServiceController) -> set[str]:
    """Return the path patterns that lead to the service, as the state knows them."""
    resource_states = service.session.state.resources
    group = resource_states.get(service.part_id("tg"))
    rules = [
        resource_state.desired
        for resource_state in resource_states.values()
        if resource_state.type_name == "ListenerRule"
    ]
    return {pattern for rule in rules if group and group.id in str(rule["Actions"]) for pattern in path_values(rule)}


def _rules(console: Console, service: ServiceController) -> list[JsonObject]:
    """Return the rules of the load balancer; none, with a note, if they may not be read."""
    listeners = [
        resource_state.id
        for resource_state in service.session.state.resources.values()
        if resource_state.type_name == "Listener"
    ]
    try:
        return rules_of(service.session.clients.client("elbv2"), listeners)
    except ClientError as error:
        if categorize(error) is not ErrorCategory.DENIED:
            raise
        console.note(f"Which service answers is not known: {Denial.of(error).clause}.", "yellow")
        return []


def _strayed(service: ServiceController, rules: list[JsonObject], path: str) -> str:
    """Describe which service takes the requests for a path instead of this one; "" if this one does."""
    rule = matching_rule(rules, path)
    if rule is None:
        return ""
    mine = service.session.state.resources.get(service.part_id("tg"))
    groups = set(target_groups_of(rule))
    if mine is None or mine.id in groups:
        return ""
    resource_states = service.session.state.resources.items()
    names = {
        resource_state.id: name.partition(".")[2] or CONTAINER
        for name, resource_state in resource_states
        if resource_state.type_name == "TargetGroup"
    }
    others = " and ".join(names.get(group, group) for group in sorted(groups)) or "no service"
    return f"answered by {others}, not by {service.title}: rule {rule['Priority']} takes {path}"
