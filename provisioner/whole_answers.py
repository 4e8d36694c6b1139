"""Every answer has a limit as a whole: one that comes byte by byte is given up like one that never comes.

urllib3 bounds each read from the socket alone. Here a timer ends the connection when the time is over, and
whatever had come by then counts as no answer.
"""

from __future__ import annotations

import io
import socket
import threading
from typing import Any

from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)
from botocore.exceptions import ReadTimeoutError
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

from provisioner.hosts import note_reached
from provisioner.trust import bundle

_here = threading.local()


class Attempt:
    """One request and its answer, and the connection that they use."""

    def __init__(self) -> None:
        self.is_late = False
        self._connection: Any = None
        self._lock = threading.Lock()

    def uses(self, connection: Any) -> None:
        """Remember what ends the attempt; one whose time is over already ends at once."""
        with self._lock:
            self._connection = connection
            if self.is_late:
                self._end()

    def give_up(self) -> None:
        """End the connection, in which another thread waits."""
        with self._lock:
            self.is_late = True
            self._end()

    def _end(self) -> None:
        connected = getattr(self._connection, "sock", None)
        if isinstance(connected, socket.socket):
            try:
                # The socket's own: that of TLS takes its keys away from the thread that reads.
                socket.socket.shutdown(connected, socket.SHUT_RDWR)
            except OSError:
                return  # it has ended by itself


class _Noted:
    """A connection that tells which attempt uses it."""

    def connect(self) -> None:
        """Connect; a proxy's answer, too, is waited for no longer than the attempt."""
        _note(self)
        super().connect()  # type: ignore[misc]
        note_reached(self.host)  # type: ignore[attr-defined]
        _note(self)

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Send, over a connection that may be open already."""
        _note(self)
        super().request(*args, **kwargs)  # type: ignore[misc]


def _note(connection: Any) -> None:
    attempt: Attempt | None = getattr(_here, "attempt", None)
    if attempt:
        attempt.uses(connection)


class _Connection(_Noted, AWSHTTPConnection):  # type: ignore[misc]  # botocore is not typed
    pass


class _SecureConnection(_Noted, AWSHTTPSConnection):  # type: ignore[misc]
    pass


class _Pool(AWSHTTPConnectionPool):  # type: ignore[misc]
    ConnectionCls = _Connection


class _SecurePool(AWSHTTPSConnectionPool):  # type: ignore[misc]
    ConnectionCls = _SecureConnection


def over_http(url: str, *, within: float, is_local: bool) -> WholeAnswers:
    """A way to ask a URL that trusts what boto3 trusts, and goes by the same proxies; local by none."""
    proxies = {} if is_local else get_environ_proxies(url)
    verify = True if is_local else bundle().verify
    return WholeAnswers(URLLib3Session(verify=verify, proxies=proxies, timeout=within), within)


class WholeAnswers:
    """Botocore's HTTP session, with a limit in seconds for each request and its whole answer.

    A body that botocore would hand on as a stream is read too: none that is asked for here is long.
    """

    def __init__(self, http: URLLib3Session, within: float) -> None:
        self._http = http
        self._within = within
        pools = {"http": _Pool, "https": _SecurePool}
        http._pool_classes_by_scheme = http._manager.pool_classes_by_scheme = pools

    def send(self, request: Any) -> Any:
        """Send a request; its answer, whole.

        Raises:
            ReadTimeoutError: It was not whole in time.

        """
        attempt = Attempt()
        timer = threading.Timer(self._within, attempt.give_up)
        timer.daemon = True
        timer.start()
        _here.attempt = attempt
        try:
            answer = self._http.send(request)
            if request.stream_output:
                answer.raw = io.BytesIO(answer.content)
        except Exception:
            if not attempt.is_late:
                raise
        finally:
            timer.cancel()
            _here.attempt = None
        if attempt.is_late:
            raise ReadTimeoutError(endpoint_url=request.url)
        return answer

    def close(self) -> None:
        """Close what is open."""
        self._http.close()
