"""The one way every AWS call takes: faults, hooks, moto, hooks again, and the log."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping
from secrets import token_urlsafe
from typing import Any
from uuid import uuid4

from provisioner.embedded import corrections, inner, shelf, strict_account, visitors
from provisioner.embedded import manners as good_manners
from provisioner.embedded.answers import Answered, AwsError, Reply
from provisioner.embedded.authorise import Authoriser
from provisioner.embedded.calls import CallLog
from provisioner.embedded.clock import clock
from provisioner.embedded.faults import Faults
from provisioner.embedded.front import HangUp
from provisioner.embedded.hooks import Layer, always, manners, replays, strict
from provisioner.embedded.local import PLAIN, STRICT
from provisioner.embedded.paging import paged, whole
from provisioner.embedded.served import demand_served
from provisioner.embedded.wire import (
    CLIENT_ERROR,
    Answer,
    Call,
    Environ,
    error_code,
    error_message,
    parsed,
    read,
    refusal,
    written,
)

log = logging.getLogger(__name__)

HOOKED = (corrections, good_manners, strict_account)  # importing them is what puts the hooks in their layers


class Box:
    """AWS: an application from request to answer; there is one a process, as moto's state is."""

    def __init__(self, *, pace: float = 0.0, with_manners: bool = True, account: str = PLAIN) -> None:
        self.instance = uuid4().hex
        # Who shows it may use the control port.
        self.token = token_urlsafe()
        self.behave(pace=pace, with_manners=with_manners, account=account)
        self.ready = False
        self.calls = CallLog()
        self.faults = Faults()
        # What the caller may do; everything where there is none.
        self.authoriser: Authoriser | None = None
        # One call at a time: moto is not safe for threads, and the GIL lets it gain nothing by them.
        self._turn = threading.RLock()

    def behave(self, *, pace: float, with_manners: bool, account: str = PLAIN) -> None:
        """Set how slow AWS is, and in which account; without manners everything is instant."""
        self.pace, self.with_manners, self.account = pace, with_manners, account
        strict.on = account == STRICT
        manners.on = with_manners
        clock.pace = pace if with_manners else 0.0

    def authorise(self, policies: Iterable[Mapping[str, Any]]) -> None:
        """Let callers do what these policies allow, and no more; none lifts that."""
        given = list(policies)
        self.authoriser = Authoriser(given) if given else None

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The hooks in force, outermost first."""
        return tuple(layer for layer in (replays, strict, manners, always) if layer.on)

    def reset(self) -> None:
        """Forget everything but the settings."""
        with self._turn:
            inner.reset()
            shelf.clear_all()
            clock.reset()
            self.calls.clear()
            self.faults.order([])

    def __call__(self, environ: Environ) -> Answer:
        """Answer one AWS request; or a visitor of what AWS serves."""
        if visitors.is_visitor(environ):
            with self._turn:
                clock.catch_up()
                return visitors.visit(environ)
        call = read(environ)
        struck = self.faults.that_strike(call)
        try:
            for fault in struck:
                fault.before(call)
            answer = self._answer(call)
            for fault in struck:
                answer = fault.after(call, answer)
        except AwsError as error:
            answer = refusal(call, error)
        except HangUp:
            self.calls.add(call, 0, "connection lost")
            raise
        self.calls.add(call, answer.status, error_code(answer) if answer.status >= CLIENT_ERROR else "")
        return answer

    def _answer(self, call: Call) -> Answer:
        """Answer, if need be with a refusal: a fault that strikes after a call strikes after that too."""
        try:
            return self._take_turn(call)
        except AwsError as error:
            return refusal(call, error)

    def _take_turn(self, call: Call) -> Answer:
        with self._turn:
            try:
                clock.catch_up()
                demand_served(call)
                if self.authoriser:
                    self.authoriser.check(call)
                return self._act(call)
            except AwsError:
                raise
            except Exception as trip:  # to a client, whatever goes wrong in here is AWS's internal failure
                log.exception("failed in %s %s", call.service, call.operation)
                raise AwsError("InternalFailure", f"{type(trip).__name__}: {trip}", 500) from trip

    def _act(self, call: Call) -> Answer:
        """Hooks around moto; a reply is only parsed and written again where a hook wants to see it."""
        call, page = paged(call)
        try:
            reply = self._before(call)
        except Answered as answered:
            return written(call, answered.reply)
        afters = [after for layer in reversed(self.layers) for after in layer.afters_of(call)]
        if reply is None:
            answer = inner.ask(call)
            if answer.status >= CLIENT_ERROR:
                reply = self._refused(call, answer)
            elif afters or (page and page.may_be_short_of(len(answer.body))):
                reply = whole(call, parsed(call, answer), page)
            if reply is None:
                return answer
        for after in afters:
            after(call, reply)
        if page:
            page.cut(reply)
        return written(call, reply)

    def _before(self, call: Call) -> Reply | None:
        for layer in self.layers:
            for before in layer.befores_of(call):
                reply = before(call)
                if reply is not None:
                    return reply
        return None

    def _refused(self, call: Call, answer: Answer) -> Reply | None:
        error = AwsError(error_code(answer), error_message(answer), answer.status)
        for layer in self.layers:
            for refused in layer.refusals.get((call.service, call.operation), ()):
                reply = refused(call, error)
                if reply is not None:
                    return reply
        return None
