"""The way from the tool's boto3 clients into the box, without sockets; here faults strike and runs die."""

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
from tests.faults.alike import EquivalentFaults
from tests.faults.case import LEDGER, InjectedFault
from tests.faults.on_the_way import ENDPOINT, ON_THE_WAY, Bare, OnTheWay
from tests.faults.remembered import ENDS, CachedReads
from tests.support import account_inventory

_EVER = 10**6
# What a call is called and kept by, from its beginning to its end, among what botocore keeps with it.
_NAME, _KEY = "tests.faults.name", "tests.faults.key"

Meets = Callable[[str, Callable[[], Response]], None]


class Killed(BaseException):
    """The process ended here: no handler of it ran, and nothing of it reached AWS or the disk any more."""


class Wire:
    """Carries every call of a process to the box; after a kill it carries nothing."""

    def __init__(self, emulator: Emulator) -> None:
        self.box = emulator
        self.dead = False
        self.expired = False
        self.struck = 0
        self._kills_next = False
        self._orders: list[Fault] = []
        self.remembered = CachedReads()
        # Told of each call that would change AWS before it is carried, and how to make it.
        self.meets: Meets | None = None
        # Hears how a run goes on after a fault.
        self.alike: EquivalentFaults | None = None
        # Seconds that the next request, or the next answer, is on its way; by default no time passes.
        self.takes: Callable[[], float] | None = None
        # The way of the command that is being played, once it has called.
        self.aws: AwsConnection | None = None
        self._counting = threading.Lock()

    def arm(self, strikes: Iterable[InjectedFault], *, then_kill: bool = False) -> None:
        """Count from now on; with `then_kill` the first mutating call after a strike ends the process."""
        self.dead = self.expired = self._kills_next = False
        self.struck, self._then_kill = 0, then_kill
        self._orders = [_order(one) for one in strikes if one.operation != LEDGER]

    def revive(self) -> None:
        """Another process begins, with credentials that hold; faults that have not struck yet still wait."""
        self.dead = self.expired = self._kills_next = False
        self._orders = [one for one in self._orders if not _is_done(one)]

    def check(self) -> None:
        """Killed where this process is."""
        if self.dead:
            raise Killed

    def kill(self) -> Killed:
        """End the process."""
        self.dead = True
        return Killed()

    def note(self) -> None:
        """A fault has struck; where it is to be the last but one thing that happens, the kill is set."""
        self.struck += 1
        self._kills_next = self._then_kill
        if self.alike:
            self.alike.strike()

    def acts(self) -> None:
        """This thread is about to change something, in AWS or on disk."""
        if self.alike:
            self.alike.acts()

    def send(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        """Carry one request to the box and its answer back: botocore's `before-send`."""
        self._travel()
        answer = self._through(parse_call(_environ(request)))
        self._travel()
        raw: Any = MockRawResponse(answer.body)
        return AWSResponse(str(request.url), answer.status, answer.headers, raw)

    def _travel(self) -> None:
        """Be on the way; others call meanwhile, so what is answered holds for nobody else."""
        if self.takes:
            time.sleep(self.takes())
            self.remembered.forget()
        self.check()

    def before(self, model: Any, params: Any, context: Any, **_: Any) -> tuple[AWSResponse, Any] | None:
        """Tell an answer again, if it is known: botocore's `before-call`."""
        context[_NAME] = model.name
        may_strike = self.meets or self._kills_next or any(map(_may_strike, self._orders))
        known = READS if may_strike else (*READS, *ENDS)
        if self.dead or self.expired or not model.name.startswith(known):
            return None
        asked = (params["method"], params["url"], params["query_string"], params["body"], params["headers"])
        context[_KEY] = (model.service_model.service_name, context["client_region"], repr(asked))
        return self.remembered.answer(context[_KEY])

    def after(self, http_response: AWSResponse, parsed: Any, context: Any, **told: Any) -> None:
        """Keep an answer: botocore's `after-call`."""
        if _KEY in context:
            self.remembered.keep(context[_KEY], http_response, parsed)
        if self.alike:
            self.alike.answered(http_response, parsed, **told)

    def broke(self, exception: BaseException, context: Any, **_: Any) -> None:
        """Hear that there was no answer: botocore's `after-call-error`."""
        if self.alike:
            self.alike.broke(context[_NAME], exception)

    def _carry(self, call: Call) -> Response:
        return self.remembered.asking(call, lambda: self.box(call.rewound()))

    def _through(self, call: Call) -> Response:
        if call.mutating:
            self.acts()
        if self.meets and call.mutating:
            self.meets(f"{call.service}:{call.operation}", lambda: self._carry(call))
        if self._kills_next and call.mutating:
            raise self.kill()
        with self._counting:
            struck = [one for one in self._orders if one.strikes(call)]
        for fault in struck:
            self.note()
            self.expired = self.expired or fault.fault == "expired"
        if self.expired:
            return serialize_error(call, expired(call))
        return self._strike(call, struck)

    def _strike(self, call: Call, struck: list[Fault]) -> Response:
        try:
            for fault in struck:
                fault.before(call)
            answer = self._carry(call)
            for fault in struck:
                answer = fault.after(call, answer)
        except AwsError as error:
            return serialize_error(call, error)
        except Bare as somebody:
            return somebody.answer
        except ConnectionDropped as end:
            if any(fault.fault.startswith("kill") for fault in struck):
                raise self.kill() from end
            raise ConnectionClosedError(endpoint_url=ENDPOINT) from end
        return answer


def _order(strike: InjectedFault) -> Fault:
    times = _EVER if strike.fault == "access_denied" else 1
    kind = OnTheWay if strike.fault in ON_THE_WAY else Fault
    if strike.operation:
        return kind(strike.fault, operation=strike.operation, nth=strike.nth, times=times)
    return kind(strike.fault, at=strike.nth, times=times)


def _is_done(order: Fault) -> bool:
    return order.seen >= (order.at or order.nth)


def _may_strike(order: Fault) -> bool:
    return order.seen < (order.at or order.nth) + order.times - 1


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
def wired(wire: Wire) -> Iterator[None]:
    """Inside, every client goes by the wire; the tool's are made once, for that takes longer than a plan."""
    made, looking = AwsConnection._make_client, account_inventory.client.__wrapped__

    def watched(client: Any) -> Any:
        client.meta.events.register("before-send.*", wire.send)
        client.meta.events.register("before-call.*", wire.before)
        client.meta.events.register_first("after-call.*", wire.after)
        client.meta.events.register("after-call-error.*", wire.broke)
        return client

    @cache
    def kept(service: str, region: str, connection: AwsConnection) -> Any:
        client = made(connection, service, region)
        return watched(client)

    firsts: dict[tuple[str, str], AwsConnection] = {}

    def make(connection: AwsConnection, service: str, region: str) -> Any:
        wire.aws = connection
        return kept(service, region, firsts.setdefault((service, region), connection))

    @cache
    def look(endpoint: str, service: str, region: str = "us-east-1") -> Any:
        client = looking(endpoint, service, region)
        return watched(client)

    with (
        patch.object(AwsConnection, "_make_client", make),
        patch.object(account_inventory, "client", look),
        wire.remembered.watching(),
    ):
        yield
