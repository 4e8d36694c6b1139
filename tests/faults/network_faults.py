"""Faults of the network between the tool and AWS, as `tests.support.fault_proxy` plays them to whole processes."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from dataclasses import replace

from botocore.exceptions import ProxyConnectionError, ReadTimeoutError, SSLError

from provisioner.emulator.errors import AwsError
from provisioner.emulator.faults import Fault
from provisioner.emulator.wire import Call, Response

# Nobody listens there: a request that leaves the process fails and does not reach AWS.
ENDPOINT = "http://127.0.0.1:1"
GARBLED = b"\x00\xff<{not an answer"


class BareReply(Exception):  # control flow, not an error
    """A proxy replies in place of AWS, in no protocol of AWS."""

    def __init__(self, answer: Response) -> None:
        super().__init__(answer.status)
        self.answer = answer


def _proxy_error() -> Exception:
    error: Exception = ProxyConnectionError(proxy_url=ENDPOINT, error=ConnectionRefusedError("refused"))
    return error


def _tls_error() -> Exception:
    error: Exception = SSLError(endpoint_url=ENDPOINT, error=ssl.SSLEOFError(8, "EOF occurred"))
    return error


def _bare_429() -> Exception:
    return BareReply(Response(429, {}, b""))


def _request_timeout() -> Exception:
    return AwsError("RequestTimeout", "The connection was not read from in time.", 400)


_ERRORS: Mapping[str, Callable[[], Exception]] = {
    "proxy_away": _proxy_error,
    "tls_cut": _tls_error,
    "429_before": _bare_429,
    "request_timeout": _request_timeout,
}
_DRIPPED, _GARBLED = "dripped_reply", "garbled_reply"
NETWORK_FAULTS = frozenset({*_ERRORS, _DRIPPED, _GARBLED})


class NetworkFault(Fault):
    """A network fault that is to happen at a call."""

    def __post_init__(self) -> None:
        """Raise ValueError if the fault is no network fault."""
        if self.fault not in NETWORK_FAULTS:
            raise ValueError(f"no such fault: {self.fault}")

    def before(self, call: Call) -> None:  # noqa: ARG002 - the same for each call
        """Raise the error of a fault that keeps the call from taking effect."""
        if make_error := _ERRORS.get(self.fault):
            raise make_error()

    def after(self, call: Call, answer: Response) -> Response:  # noqa: ARG002
        """Return the reply that arrives after the call took effect, or raise the error in its place."""
        if self.fault == _DRIPPED:  # what the time limit of a whole reply makes of a slow one
            raise ReadTimeoutError(endpoint_url=ENDPOINT)
        return replace(answer, body=GARBLED) if self.fault == _GARBLED else answer
