"""Tests whether a service answers its users: through CloudFront, and at the load balancer behind it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError, ProxyConnectionError
from tenacity import stop_after_attempt, wait_fixed

from provisioner.aws.timeouts import bounded_http_session
from provisioner.commands.service_controller import ServiceController
from provisioner.engine.calls.denials import Denial
from provisioner.engine.calls.error_categories import ErrorCategory, categorize
from provisioner.engine.calls.hints import hint_for
from provisioner.engine.calls.retry_policy import RetryPolicy
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.errors import Unhealthy
from provisioner.path_patterns import find_path
from provisioner.resources.elbv2.request_routing import list_path_rules, matching_rule, path_values, target_groups_of
from provisioner.service_clients import ELBV2
from provisioner.session import Session
from provisioner.steps.ecs import CONTAINER
from provisioner.terminal.console import Console
from provisioner.terminal.tables import table_lines
from state.serialization import json_fields

CLOUDFRONT, LOAD_BALANCER = "CloudFront", "load balancer"
_TIMEOUT, _RETRY_INTERVAL, _ATTEMPTS = 10.0, 2.0, 3
_OK, _REDIRECTS, _REFUSED, _FORBIDDEN, _BROKEN = 200, range(300, 400), 400, 403, 500
_MAX_ERROR_LENGTH = 100
# Faults of this machine or of its proxy: they say nothing of the service.
_LOCAL_FAULTS = frozenset({ErrorCategory.UNTRUSTED, ErrorCategory.PROXY_REFUSED})
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


def judge_response(request: SmokeRequest, health: str, *, closed: bool) -> tuple[bool, str]:
    """Return whether an answer is as it should be, and in words what it means."""
    status_text = str(request.status or "no answer")
    if not request.is_asked:
        return True, request.why
    if closed:
        is_closed = request.status in (None, _FORBIDDEN)
        return is_closed, f"{status_text}: {_CLOSED if is_closed else _OPEN}"
    if request.status is None:
        return False, f"no answer: {request.why}"
    if request.via == LOAD_BALANCER and request.status in _REDIRECTS:
        return True, f"{status_text}: leads on to HTTPS"
    if request.path == health:
        return request.status == _OK, status_text
    if request.status >= _BROKEN:
        return False, status_text
    return True, status_text if request.status < _REFUSED else f"{status_text}: said by the image"


def run_smoke_test(console: Console, service: ServiceController) -> None:
    """Request the health path and a path of each prefix, at every entrance.

    Raises:
        Unhealthy: An answer is not as it should be.

    """
    session, health = service.session, _health_check_path(service)
    if session.aws.local:
        console.note("Smoke test, answered by the local AWS: by its rules and its tasks' health.", "dim")
    rules = _read_rules(console, service)
    misrouted = {health: _misrouting(service, rules, health)}
    paths = [*([] if misrouted[health] else [health]), *_paths_to_request(service, rules)]
    misrouted |= {path: _misrouting(service, rules, path) for path in paths}
    rows, failures = [], []
    for entry_point in entry_points(session):
        for path in [health] if entry_point.closed else paths:
            request, (is_good, description) = _request_with_retries(session, entry_point, path, health)
            if is_good and request.is_asked and misrouted[path] and not entry_point.closed:
                is_good, description = False, f"{description}, {misrouted[path]}"
            if console.as_json:
                console.record("smoke", **json_fields(request), well=is_good, words=description)
            label = "  ok  " if is_good else "  BAD "
            rows.append((label if request.is_asked else "  ?   ", entry_point.via, path, description))
            failures += [] if is_good else [f"{path} over {entry_point.via}: {description}"]
    for line in table_lines(rows, ("     ", "over", "path", "answer")):
        console.note(line, "dim")
    if failures:
        raise _unhealthy_error(service, failures, is_misrouted=any(misrouted[path] for path in paths))


def _unhealthy_error(service: ServiceController, failures: list[str], *, is_misrouted: bool) -> Unhealthy:
    """Return the error that names the bad answers and the way back, or that the service is to run no task."""
    workspace, suffix = service.session.options.workspace, service.session.suffix
    doctor_command, remedy_command = workspace.command("doctor", suffix), workspace.command("rollback", suffix)
    if not service.desired_count:
        return Unhealthy(
            f"{service.title} is rolled out, and nothing answers: it is to run no task.",
            f"`{doctor_command}` tells what to type; where none is meant to run, --no-smoke asks nobody.",
        )
    if is_misrouted:
        remedy_command = workspace.command("apply", suffix)
    return Unhealthy(
        f"{service.title} is rolled out and does not answer as it should:\n    " + "\n    ".join(failures),
        f"`{doctor_command}` looks for the cause; `{remedy_command}` "
        f"{'puts the rules in order' if is_misrouted else 'goes back'}.",
    )


def _request_with_retries(
    session: Session, entry_point: EntryPoint, path: str, health: str
) -> tuple[SmokeRequest, tuple[bool, str]]:
    """Request a path, and repeat that if the answer is bad: a new target takes a moment."""

    def attempt() -> tuple[SmokeRequest, tuple[bool, str]]:
        request = send_request(session, entry_point, path)
        return request, judge_response(request, health, closed=entry_point.closed)

    wait = wait_fixed(max(_RETRY_INTERVAL * session.aws.speed, 0.05))
    policy = RetryPolicy(session.clock, stop_after_attempt(_ATTEMPTS), wait=wait)
    return policy.poll(attempt, is_pending=lambda result: not result[1][0])


def send_request(session: Session, entry_point: EntryPoint, path: str) -> SmokeRequest:
    """Send a GET request, without following redirects; local AWS is asked by the entrance's host name.

    Certificates are trusted and proxies are used as boto3 does.
    """
    emulator = session.aws.local
    base_url = emulator.endpoint if emulator else entry_point.url
    headers = {"Host": entry_point.url.partition("://")[2]} if emulator else {}
    request = AWSRequest("GET", f"{base_url}{path}", headers=headers).prepare()
    try:
        response = bounded_http_session(base_url, timeout=_TIMEOUT, is_local=bool(emulator)).send(request)
    except Exception as error:
        category = categorize(error)
        if category is None:
            raise
        if category in _LOCAL_FAULTS or isinstance(error, ProxyConnectionError):
            return SmokeRequest(entry_point.via, path, None, f"{_NOT_ASKED}: {hint_for(error)}", is_asked=False)
        return SmokeRequest(entry_point.via, path, None, f"{type(error).__name__}: {error}"[:_MAX_ERROR_LENGTH])
    return SmokeRequest(entry_point.via, path, response.status_code)


def entry_points(session: Session) -> Iterator[EntryPoint]:
    """Yield the entrances of the stack: CloudFront, and the load balancer."""
    outputs, resource_states = session.state.outputs, session.state.resources
    if url := outputs.get("cloudfront_distribution_url"):
        yield EntryPoint(CLOUDFRONT, url)
    if name := outputs.get("alb_dns_name"):
        balancer = resource_states.get("alb")
        internal = bool(balancer and balancer.desired.get("Scheme") == "internal")
        yield EntryPoint(LOAD_BALANCER, f"http://{name}", closed=internal or bool(_GUARDED & resource_states.keys()))


def _health_check_path(service: ServiceController) -> str:
    """Return the path of the service's health check."""
    group = service.session.state.resources.get(service.part_id("tg"))
    return str(group.desired["HealthCheckPath"]) if group else "/health"


def _paths_to_request(service: ServiceController, rules: list[JsonObject]) -> list[str]:
    """Return a path for each pattern that leads to the service; if possible, no earlier rule takes it."""
    by_priority = sorted((rule for rule in rules if not rule["IsDefault"]), key=lambda rule: int(rule["Priority"]))
    all_patterns = [pattern for rule in by_priority for pattern in path_values(rule)]
    own_patterns = _path_patterns(service)
    own_positions = [(position, pattern) for position, pattern in enumerate(all_patterns) if pattern in own_patterns]
    paths = {
        find_path(pattern, all_patterns[:position]) or _matching_path(pattern) for position, pattern in own_positions
    }
    return sorted(paths | {_matching_path(pattern) for pattern in own_patterns.difference(all_patterns)})


def _matching_path(pattern: str) -> str:
    """Return a path that matches a pattern."""
    return pattern.replace("*", "").replace("?", "x") or "/"


def _path_patterns(service: ServiceController) -> set[str]:
    """Return the path patterns that lead to the service, as the state knows them."""
    resource_states = service.session.state.resources
    group = resource_states.get(service.part_id("tg"))
    rules = [
        resource_state.desired
        for resource_state in resource_states.values()
        if resource_state.type_name == "ListenerRule"
    ]
    return {pattern for rule in rules if group and group.id in str(rule["Actions"]) for pattern in path_values(rule)}


def _read_rules(console: Console, service: ServiceController) -> list[JsonObject]:
    """Return the rules of the load balancer; none, with a note, if they may not be read."""
    listeners = [
        resource_state.id
        for resource_state in service.session.state.resources.values()
        if resource_state.type_name == "Listener"
    ]
    try:
        return list_path_rules(service.session.clients.client(ELBV2), listeners)
    except ClientError as error:
        if categorize(error) is not ErrorCategory.DENIED:
            raise
        console.note(f"Which service answers is not known: {Denial.of(error).clause}.", "yellow")
        return []


def _misrouting(service: ServiceController, rules: list[JsonObject], path: str) -> str:
    """Describe which service takes the requests for a path instead of this one; "" if this one does."""
    rule = matching_rule(rules, path)
    if rule is None:
        return ""
    own_group = service.session.state.resources.get(service.part_id("tg"))
    groups = set(target_groups_of(rule))
    if own_group is None or own_group.id in groups:
        return ""
    resource_states = service.session.state.resources.items()
    names = {
        resource_state.id: name.partition(".")[2] or CONTAINER
        for name, resource_state in resource_states
        if resource_state.type_name == "TargetGroup"
    }
    others = " and ".join(names.get(group, group) for group in sorted(groups)) or "no service"
    return f"answered by {others}, not by {service.title}: rule {rule['Priority']} takes {path}"
