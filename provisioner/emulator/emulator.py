"""The emulator: every AWS call passes through faults, hooks, moto, hooks again, and the log of calls."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping
from secrets import token_urlsafe
from typing import Any
from uuid import uuid4

from provisioner.emulator import account_store, moto_bridge, patches, strict_account, traffic
from provisioner.emulator import behaviours as aws_behaviours
from provisioner.emulator.authorizer import Authorizer
from provisioner.emulator.calls import CallLog
from provisioner.emulator.clock import clock
from provisioner.emulator.errors import Answered, AwsError, Reply
from provisioner.emulator.faults import Faults
from provisioner.emulator.hooks import Layer, always, behaviours, replays, strict
from provisioner.emulator.http_server import ConnectionDropped
from provisioner.emulator.local import PLAIN, STRICT
from provisioner.emulator.paging import append_pages, without_paging
from provisioner.emulator.services import refuse_unserved
from provisioner.emulator.wire import (
    CLIENT_ERROR,
    Call,
    Environ,
    Response,
    error_code,
    error_message,
    parse_call,
    parse_reply,
    serialize_error,
    serialize_reply,
)

log = logging.getLogger(__name__)

HOOKED = (patches, aws_behaviours, strict_account)  # importing these packages registers their hooks


class Emulator:
    """The emulator of AWS as an application, from request to response.

    There is only one in a process, because moto's state is global.
    """

    def __init__(self, *, speed: float = 0.0, with_behaviours: bool = True, account: str = PLAIN) -> None:
        self.instance = uuid4().hex
        # Requests to the control port must carry it.
        self.token = token_urlsafe()
        self.behave(speed=speed, with_behaviours=with_behaviours, account=account)
        self.ready = False
        self.calls = CallLog()
        self.faults = Faults()
        # Checks the permissions of callers; without one, every call is allowed.
        self.authoriser: Authorizer | None = None
        # One call at a time: moto is not thread-safe, and the GIL leaves nothing to gain from threads.
        self._turn = threading.RLock()

    def behave(self, *, speed: float, with_behaviours: bool, account: str = PLAIN) -> None:
        """Set the speed and the type of account; without behaviours, everything is instant.

        Args:
            speed: 0 is instant, 1 is as slow as AWS.
            with_behaviours: Whether AWS's latency and refusals are emulated.
            account: `PLAIN` or `STRICT`.

        """
        self.speed, self.with_behaviours, self.account = speed, with_behaviours, account
        strict.on = account == STRICT
        behaviours.on = with_behaviours
        clock.speed = speed if with_behaviours else 0.0

    def authorise(self, policies: Iterable[Mapping[str, Any]]) -> None:
        """Allow callers only what these policies allow; an empty list lifts the restriction."""
        listed = list(policies)
        self.authoriser = Authorizer(listed) if listed else None

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers of hooks that are switched on, outermost first."""
        return tuple(layer for layer in (replays, strict, behaviours, always) if layer.on)

    def reset(self) -> None:
        """Delete all resources, logged calls and faults; the settings stay."""
        with self._turn:
            moto_bridge.reset()
            account_store.clear_all()
            clock.reset()
            self.calls.clear()
            self.faults.replace([])

    def __call__(self, environ: Environ) -> Response:
        """Answer an AWS call, or a request of a client to a load balancer or distribution.

        Raises:
            ConnectionDropped: The connection is to be closed without an answer.

        """
        if traffic.is_visitor(environ):
            with self._turn:
                clock.catch_up()
                return traffic.visit(environ)
        call = parse_call(environ)
        faults = self.faults.matching(call)
        try:
            for fault in faults:
                fault.before(call)
            answer = self._answer(call)
            for fault in faults:
                answer = fault.after(call, answer)
        except AwsError as error:
            answer = serialize_error(call, error)
        except ConnectionDropped:
            self.calls.add(call, 0, "connection lost")
            raise
        self.calls.add(call, answer.status, error_code(answer) if answer.status >= CLIENT_ERROR else "")
        return answer

    def _answer(self, call: Call) -> Response:
        """Answer a call, with an error response if it is refused, so that a fault can strike after that."""
        try:
            return self.run_alone(call)
        except AwsError as error:
            return serialize_error(call, error)

    def run_alone(self, call: Call) -> Response:
        """Run a call while no other one runs: apply what is due by the clock, check permissions, then act.

        Raises:
            AwsError: The call is refused, or the emulator itself failed (InternalFailure).

        """
        with self._turn:
            try:
                clock.catch_up()
                refuse_unserved(call)
                if self.authoriser:
                    self.authoriser.check(call)
                return self._run_hooks(call)
            except AwsError:
                raise
            except Exception as trip:  # a bug in the emulator looks like AWS's internal failure
                log.exception("failed in %s %s", call.service, call.operation)
                raise AwsError("InternalFailure", f"{type(trip).__name__}: {trip}", 500) from trip

    def _run_hooks(self, call: Call) -> Response:
        """Run the hooks around moto.

        moto's answer is parsed and serialized again only if a hook or the paging needs the parsed reply.
        """
        call, page = without_paging(call)
        try:
            reply = self._before(call)
        except Answered as answered:
            return serialize_reply(call, answered.reply)
        afters = [after for layer in reversed(self.layers) for after in layer.afters_of(call)]
        if reply is None:
            answer = moto_bridge.ask(call)
            if answer.status >= CLIENT_ERROR:
                reply = self._refused(call, answer)
            elif afters or (page and page.may_need_cut(len(answer.body))):
                reply = append_pages(call, parse_reply(call, answer), page)
            if reply is None:
                return answer
        for after in afters:
            after(call, reply)
        if page:
            page.cut(reply)
        return serialize_reply(call, reply)

    def _before(self, call: Call) -> Reply | None:
        """Run the `before` hooks; return the first reply, or None if moto is to answer."""
        for layer in self.layers:
            for before in layer.befores_of(call):
                reply = before(call)
                if reply is not None:
                    return reply
        return None

    def _refused(self, call: Call, answer: Response) -> Reply | None:
        """Let hooks handle an error of moto; return a reply in its place, or None to leave the error."""
        error = AwsError(error_code(answer), error_message(answer), answer.status)
        for layer in self.layers:
            for refused in layer.refusals.get((call.service, call.operation), ()):
                reply = refused(call, error)
                if reply is not None:
                    return reply
        return None
