"""Faults of what lies between the tool and AWS.

The replies that `tests.support.fault_proxy` plays to whole processes.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from dataclasses import replace

from botocore.exceptions import ProxyConnectionError, ReadTimeoutError, SSLError

from provisioner.emulator.errors import AwsError
from provisioner.emulator.faults import Fault
from provisioner.emulator.wire import Call, Response

# Nobody listens there: a request that went astray would fail, and not reach AWS.
ENDPOINT = "http://127.0.0.1:1"
GARBLED = b"\x00\xff<{not an answer"


class Bare(Exception):  # an order, not an error
    """Somebody before AWS answers, in no protocol of AWS's."""

    def __init__(self, answer: Response) -> None:
        super().__init__(answer.status)
        self.answer = answer


def _away() -> Exception:
    error: Exception = ProxyConnectionError(proxy_url=ENDPOINT, error=ConnectionRefusedError("refused"))
    return error


def _tls_cut() -> Exception:
    error: Exception = SSLError(endpoint_url=ENDPOINT, error=ssl.SSLEOFError(8, "EOF occurred"))
    return error


def _bare_429() -> Exception:
    return Bare(Response(429, {}, b""))


def _request_timeout() -> Exception:
    return AwsError("RequestTimeout", "The connection was not read from in time.", 400)


_BEFORE: Mapping[str, Callable[[], Exception]] = {
    "proxy_away": _away,
    "tls_cut": _tls_cut,
    "429_before": _bare_429,
    "request_timeout": _request_timeout,
}
_DRIPPED, _GARBLED = "dripped_reply", "garbled_reply"
ON_THE_WAY = frozenset({*_BEFORE, _DRIPPED, _GARBLED})


class OnTheWay(Fault):
    """One order of such a fault."""

    def __post_init__(self) -> None:
        """Take no name but these."""
        if self.fault not in ON_THE_WAY:
            raise ValueError(f"no such fault: {self.fault}")

    def before(self, call: Call) -> None:  # noqa: ARG002 - strikes whatever the call is
        """Strike before the call takes effect."""
        if made := _BEFORE.get(self.fault):
            raise made()

    def after(self, call: Call, answer: Response) -> Response:  # noqa: ARG002
        """Strike when it has taken effect; what then goes back."""
        if self.fault == _DRIPPED:  # what the limit of a whole answer makes of one that comes too slowly
            raise ReadTimeoutError(endpoint_url=ENDPOINT)
        return replace(answer, body=GARBLED) if self.fault == _GARBLED else answer
