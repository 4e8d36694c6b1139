"""Time limits of requests: a late one is not sent, and an answer that takes too long is given up.

Between the check whether a run may still change AWS and the sending lie credentials and a signature. A process
can be stopped, or its machine sleep, at any moment of that: so the check is repeated right before the sending.

urllib3 only limits each read from the socket. Here a timer shuts the connection down when the time is over,
and whatever had come by then counts as no answer.
"""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from botocore.awsrequest import AWSHTTPConnection, AWSHTTPConnectionPool, AWSHTTPSConnection, AWSHTTPSConnectionPool
from botocore.exceptions import ReadTimeoutError
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

from provisioner.aws.network import certificate_bundle, note_reached

_thread = threading.local()


class BoundedRequest:
    """One request and its answer, and the connection that they use."""

    def __init__(self) -> None:
        self.is_late = False
        self._connection: Any = None
        self._lock = threading.Lock()

    def use(self, connection: Any) -> None:
        """Remember the connection; shut it down at once if the time of the attempt is already over."""
        with self._lock:
            self._connection = connection
            if self.is_late:
                self._shut_down()

    def abort(self) -> None:
        """Shut down the connection, on which another thread waits."""
        with self._lock:
            self.is_late = True
            self._shut_down()

    def _shut_down(self) -> None:
        sock = getattr(self._connection, "sock", None)
        if isinstance(sock, socket.socket):
            try:
                # The plain socket's method: that of a TLS socket takes its keys away from the thread that
                # reads.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
            except OSError:
                return  # already closed


class _TrackedConnection:
    """A connection that tells the thread's current attempt that it is in use."""

    def connect(self) -> None:
        """Connect; the attempt's time limit also covers the answer of a proxy."""
        _track(self)
        super().connect()  # type: ignore[misc]
        note_reached(self.host)  # type: ignore[attr-defined]
        _track(self)

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Send a request, over a connection that may be open already."""
        _track(self)
        super().request(*args, **kwargs)  # type: ignore[misc]


def _track(connection: Any) -> None:
    """Tell this thread's current attempt, if there is one, which connection it uses."""
    bounded_request: BoundedRequest | None = getattr(_thread, "attempt", None)
    if bounded_request:
        bounded_request.use(connection)


class _Connection(_TrackedConnection, AWSHTTPConnection):  # type: ignore[misc]  # botocore is not typed
    pass


class _SecureConnection(_TrackedConnection, AWSHTTPSConnection):  # type: ignore[misc]
    pass


class _Pool(AWSHTTPConnectionPool):  # type: ignore[misc]
    ConnectionCls = _Connection


class _SecurePool(AWSHTTPSConnectionPool):  # type: ignore[misc]
    ConnectionCls = _SecureConnection


def bounded_http_session(url: str, *, timeout: float, is_local: bool) -> BoundedHttpSession:
    """Return a session for a URL, with the certificates and proxies of boto3; a local URL has no proxy.

    `timeout` is the limit in seconds for a request and its whole answer.
    """
    proxies = {} if is_local else get_environ_proxies(url)
    verify = True if is_local else certificate_bundle().verify
    return BoundedHttpSession(URLLib3Session(verify=verify, proxies=proxies, timeout=timeout), timeout)


class BoundedHttpSession:
    """botocore's HTTP session, with a limit in seconds for each request and its whole answer.

    A body that botocore would hand on as a stream is read whole too: none that is asked for here is long.
    """

    def __init__(self, http: URLLib3Session, timeout: float) -> None:
        self._http = http
        self._timeout = timeout
        pools = {"http": _Pool, "https": _SecurePool}
        http._pool_classes_by_scheme = http._manager.pool_classes_by_scheme = pools

    def send(self, request: Any) -> Any:
        """Send a request, and return its whole answer.

        Raises:
            ReadTimeoutError: The answer was not whole in time.

        """
        bounded_request = BoundedRequest()
        timer = threading.Timer(self._timeout, bounded_request.abort)
        timer.daemon = True
        timer.start()
        _thread.attempt = bounded_request
        try:
            answer = self._http.send(request)
            if request.stream_output:
                answer.raw = io.BytesIO(answer.content)
        except Exception:
            if not bounded_request.is_late:
                raise
        finally:
            timer.cancel()
            _thread.attempt = None
        if bounded_request.is_late:
            raise ReadTimeoutError(endpoint_url=request.url)
        return answer

    def close(self) -> None:
        """Close the open connections."""
        self._http.close()


class StaleRequest(Exception):
    """A call that was not sent, because too much time has passed since it was allowed."""


def _never() -> bool:
    return False


_is_stale: ContextVar[Callable[[], bool]] = ContextVar("is_stale", default=_never)


@contextmanager
def refuse_requests_if(is_stale: Callable[[], bool]) -> Iterator[None]:
    """Raise `StaleRequest` in place of each request of the block for which `is_stale` is true when it is sent."""
    token = _is_stale.set(is_stale)
    try:
        yield
    finally:
        _is_stale.reset(token)


def refuse_stale(**_: Any) -> None:
    """Raise `StaleRequest` if the request is not to be sent any more (botocore's before-send)."""
    if _is_stale.get()():
        raise StaleRequest
