"""Connects the boto3 clients to the emulator without sockets; faults and kills happen here."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote, urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectionClosedError
from moto.core.botocore_stubber import MockRawResponse

from provisioner.aws.connection import AwsConnection
from provisioner.emulator.emulator import Emulator
from provisioner.emulator.errors import AwsError, expired
from provisioner.emulator.faults import Fault
from provisioner.emulator.http_server import ConnectionDropped
from provisioner.emulator.wire import READS, Call, Environ, Response, parse_call, serialize_error
from tests.faults.cached_reads import DELETIONS, CachedReads
from tests.faults.equivalent_faults import EquivalentFaults
from tests.faults.fault_case import STATE_WRITE, InjectedFault
from tests.faults.network_faults import ENDPOINT, NETWORK_FAULTS, BareReply, NetworkFault
from tests.support import account_inventory

_EVERY_TIME = 10**6
# The keys of a call's operation and cache key in the context that botocore keeps for it.
_OPERATION_KEY, _CACHE_KEY = "tests.faults.name", "tests.faults.key"

OnMutation = Callable[[str, Callable[[], Response]], None]


class Killed(BaseException):
    """The process was killed here: no handler of it ran, and nothing more of it reached AWS or the disk."""


class Wire:
    """Sends every call of a process to the emulator; after a kill it sends nothing."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.is_killed = False
        self.has_expired = False
        self.fired = 0
        self._kills_next_change = False
        self._faults: list[Fault] = []
        self.cached_reads = CachedReads()
        # Called before each mutating call with its operation and a function that makes it.
        self.on_mutation: OnMutation | None = None
        # Records how a run goes on after a fault.
        self.equivalents: EquivalentFaults | None = None
        # Returns the seconds that the next request or reply takes; None for no time.
        self.latency: Callable[[], float] | None = None
        # The connection of the command that runs, once it has made a client.
        self.connection: AwsConnection | None = None
        self._lock = threading.Lock()

    def arm(self, faults: Iterable[InjectedFault], *, then_kill: bool = False) -> None:
        """Count calls from now on; with `then_kill` the first mutating call after a fault kills the process."""
        self.is_killed = self.has_expired = self._kills_next_change = False
        self.fired, self._then_kill = 0, then_kill
        self._faults = [_fault_of(one) for one in faults if one.operation != STATE_WRITE]

    def revive(self) -> None:
        """Begin another process with valid credentials; faults that have not happened yet remain."""
        self.is_killed = self.has_expired = self._kills_next_change = False
        self._faults = [one for one in self._faults if not _is_done(one)]

    def check(self) -> None:
        """Raise Killed if the process was killed."""
        if self.is_killed:
            raise Killed

    def kill(self) -> Killed:
        """Kill the process; return the exception to raise."""
        self.is_killed = True
        return Killed()

    def fault_fired(self) -> None:
        """Count a fault that happens; if a kill is to follow it, let it happen at the next change."""
        self.fired += 1
        self._kills_next_change = self._then_kill
        if self.equivalents:
            self.equivalents.fault_fired()

    def before_change(self) -> None:
        """Note that this thread is about to change something in AWS or on disk."""
        if self.equivalents:
            self.equivalents.before_change()

    def send(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        """Pass a request to the emulator and return its reply: botocore's `before-send`."""
        self._spend_latency()
        answer = self._meet_faults(parse_call(_environ(request)))
        self._spend_latency()
        raw: Any = MockRawResponse(answer.body)
        return AWSResponse(str(request.url), answer.status, answer.headers, raw)

    def _spend_latency(self) -> None:
        """Let the latency pass; others call meanwhile, so cached replies are dropped."""
        if self.latency:
            time.sleep(self.latency())
            self.cached_reads.forget()
        self.check()

    def before_call(self, model: Any, params: Any, context: Any, **_: Any) -> tuple[AWSResponse, Any] | None:
        """Return a cached reply: botocore's `before-call`."""
        context[_OPERATION_KEY] = model.name
        may_fire = self.on_mutation or self._kills_next_change or any(map(_may_fire, self._faults))
        known = READS if may_fire else (*READS, *DELETIONS)
        if self.is_killed or self.has_expired or not model.name.startswith(known):
            return None
        request = (params["method"], params["url"], params["query_string"], params["body"], params["headers"])
        context[_CACHE_KEY] = (model.service_model.service_name, context["client_region"], repr(request))
        return self.cached_reads.get(context[_CACHE_KEY])

    def after_call(self, http_response: AWSResponse, parsed: Any, context: Any, **event: Any) -> None:
        """Cache a reply: botocore's `after-call`."""
        if _CACHE_KEY in context:
            self.cached_reads.put(context[_CACHE_KEY], http_response, parsed)
        if self.equivalents:
            self.equivalents.answered(http_response, parsed, **event)

    def call_failed(self, exception: BaseException, context: Any, **_: Any) -> None:
        """Note that there was no reply: botocore's `after-call-error`."""
        if self.equivalents:
            self.equivalents.call_failed(context[_OPERATION_KEY], exception)

    def _ask_emulator(self, call: Call) -> Response:
        return self.cached_reads.ask(call, lambda: self.emulator(call.rewound()))

    def _meet_faults(self, call: Call) -> Response:
        if call.mutating:
            self.before_change()
        if self.on_mutation and call.mutating:
            self.on_mutation(f"{call.service}:{call.operation}", lambda: self._ask_emulator(call))
        if self._kills_next_change and call.mutating:
            raise self.kill()
        with self._lock:
            due = [one for one in self._faults if one.strikes(call)]
        for fault in due:
            self.fault_fired()
            self.has_expired = self.has_expired or fault.fault == "expired"
        if self.has_expired:
            return serialize_error(call, expired(call))
        return self._answer(call, due)

    def _answer(self, call: Call, due: list[Fault]) -> Response:
        try:
            for fault in due:
                fault.before(call)
            answer = self._ask_emulator(call)
            for fault in due:
                answer = fault.after(call, answer)
        except AwsError as error:
            return serialize_error(call, error)
        except BareReply as reply:
            return reply.answer
        except ConnectionDropped as dropped:
            if any(fault.fault.startswith("kill") for fault in due):
                raise self.kill() from dropped
            raise ConnectionClosedError(endpoint_url=ENDPOINT) from dropped
        return answer


def _fault_of(injected: InjectedFault) -> Fault:
    times = _EVERY_TIME if injected.fault == "access_denied" else 1
    fault_class = NetworkFault if injected.fault in NETWORK_FAULTS else Fault
    if injected.operation:
        return fault_class(injected.fault, operation=injected.operation, nth=injected.nth, times=times)
    return fault_class(injected.fault, at=injected.nth, times=times)


def _is_done(fault: Fault) -> bool:
    return fault.seen >= (fault.at or fault.nth)


def _may_fire(fault: Fault) -> bool:
    return fault.seen < (fault.at or fault.nth) + fault.times - 1


def _environ(request: AWSPreparedRequest) -> Environ:
    url = urlsplit(str(request.url))
    body: Any = request.body or b""
    if hasattr(body, "read"):
        body.seek(0)
        body = body.read()
    body = body.encode() if isinstance(body, str) else bytes(body)
    environ: Environ = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(url.path or "/", "latin-1"),
        "QUERY_STRING": url.query,
        "RAW_URI": f"{url.path or '/'}{'?' + url.query if url.query else ''}",
        "SERVER_NAME": url.hostname,
        "SERVER_PORT": str(url.port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": url.hostname,
        "HTTP_HOST": url.netloc,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": url.scheme,
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    environ["REQUEST_URI"] = environ["RAW_URI"]
    for name, value in request.headers.items():
        key = name.upper().replace("-", "_")
        text = value.decode() if isinstance(value, bytes) else str(value)
        environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = text
    environ["CONTENT_LENGTH"] = str(len(body))
    return environ


@contextmanager
def patched_clients(wire: Wire) -> Iterator[None]:
    """Let every client use the wire; those of the tool are made once, as that takes longer than a plan."""
    make_client, make_inventory_client = AwsConnection._make_client, account_inventory.client.__wrapped__

    def with_handlers(client: Any) -> Any:
        client.meta.events.register("before-send.*", wire.send)
        client.meta.events.register("before-call.*", wire.before_call)
        client.meta.events.register_first("after-call.*", wire.after_call)
        client.meta.events.register("after-call-error.*", wire.call_failed)
        return client

    @cache
    def cached(service: str, region: str, connection: AwsConnection) -> Any:
        client = make_client(connection, service, region)
        return with_handlers(client)

    first_connections: dict[tuple[str, str], AwsConnection] = {}

    def make(connection: AwsConnection, service: str, region: str) -> Any:
        wire.connection = connection
        return cached(service, region, first_connections.setdefault((service, region), connection))

    @cache
    def inventory_client(endpoint: str, service: str, region: str = "us-east-1") -> Any:
        client = make_inventory_client(endpoint, service, region)
        return with_handlers(client)

    with (
        patch.object(AwsConnection, "_make_client", make),
        patch.object(account_inventory, "client", inventory_client),
        wire.cached_reads.tracking_time(),
    ):
        yield
