"""The control port under /_embedded/, outside the paths of AWS services; every request needs the token."""

from __future__ import annotations

import hmac
import json
import os
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from provisioner.emulator.clock import clock
from provisioner.emulator.control_client import STATE, bearer
from provisioner.emulator.local import consistency_window
from provisioner.emulator.traffic import is_visitor
from provisioner.emulator.wire import Response

if TYPE_CHECKING:
    from provisioner.emulator.emulator import Emulator
    from provisioner.emulator.wire import Environ

PREFIX = "/_embedded/"


class ControlPort:
    """The application in front of the emulator: answers the control paths, passes every other request on."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator

    def __call__(self, environ: Environ) -> Response:
        """Answer a control request, or pass the request on to the emulator."""
        if not environ["PATH_INFO"].startswith(PREFIX) or is_visitor(environ):
            return self.emulator(environ)
        if not self._is_authorized(environ):
            return _json(403, {"error": f"the control port asks for the token that stands in {STATE}"})
        verb = (environ["REQUEST_METHOD"], environ["PATH_INFO"].removeprefix(PREFIX))
        answers = {
            ("GET", "health"): self._health,
            ("GET", "calls"): self._calls,
            ("POST", "reset"): self._reset,
            ("POST", "clock"): self._clock,
            ("POST", "faults"): self._faults,
            ("POST", "authorise"): self._authorise,
        }
        if verb not in answers:
            return _json(404, {"error": f"no such control: {' '.join(verb)}"})
        try:
            return _json(200, answers[verb](environ))
        except (ValueError, KeyError, TypeError) as error:
            return _json(400, {"error": f"{type(error).__name__}: {error}"})

    def _is_authorized(self, environ: Environ) -> bool:
        """Return whether a request carries the token, compared in constant time."""
        header = str(environ.get("HTTP_AUTHORIZATION", "")).encode("utf-8", "surrogateescape")
        return hmac.compare_digest(header, bearer(self.emulator.token).encode())

    def _health(self, _: Environ) -> Any:
        """Return the emulator's identity and settings, and whether it is ready."""
        emulator = self.emulator
        health = {"instance": emulator.instance, "pid": os.getpid(), "pace": emulator.speed}
        health |= {"manners": emulator.with_behaviours, "account": emulator.account, "ready": emulator.ready}
        return health | {"visible_within": consistency_window(emulator.speed) if emulator.with_behaviours else 0.0}

    def _calls(self, environ: Environ) -> Any:
        """Return the logged calls after the number in the query parameter `since`."""
        query = parse_qs(environ["QUERY_STRING"])
        return self.emulator.calls.since(int(query.get("since", ["0"])[0]))

    def _reset(self, _: Environ) -> Any:
        """Delete all resources, logged calls and faults."""
        self.emulator.reset()
        return {}

    def _faults(self, environ: Environ) -> Any:
        """Replace the faults by those in the body, a list of the fields of `faults.Fault`."""
        self.emulator.faults.replace(json.load(environ["wsgi.input"]))
        return {}

    def _authorise(self, environ: Environ) -> Any:
        """Allow callers only what the policies in the body allow; an empty list lifts the restriction."""
        self.emulator.authorise(json.load(environ["wsgi.input"]))
        return {}

    def _clock(self, environ: Environ) -> Any:
        """Move the clock forward by the seconds in `advance`; return the new time."""
        clock.advance(float(json.load(environ["wsgi.input"])["advance"]))
        return {"now": clock.now()}


def _json(status: int, content: Any) -> Response:
    """Return an HTTP response with a JSON body."""
    return Response(status, {"Content-Type": "application/json"}, json.dumps(content).encode())
