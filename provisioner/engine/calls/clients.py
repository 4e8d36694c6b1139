"""Clients for resource types: reads return all pages and are retried, mutating calls are sent once."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any

from tenacity import stop_after_delay

from provisioner.aws.connection import AwsConnection
from provisioner.aws.timeouts import StaleRequest, refuse_requests_if
from provisioner.engine.calls.batch_scope import BatchScope
from provisioner.engine.calls.clock import Clock
from provisioner.engine.calls.error_categories import ErrorCategory, categorize, is_unsupported_operation
from provisioner.engine.calls.input_shapes import Shapes
from provisioner.engine.calls.retry_policy import RETRY_TRANSIENT, RetryPolicy, retry_within
from provisioner.errors import WaitTimeout
from provisioner.pagination import paginator
from provisioner.stopping import begin_change

_READS = ("describe_", "filter_", "get_", "list_", "head_", "lookup_")
# Seconds after which a read without an answer is given up; fewer for an emulator, which may not know the call
# and say so in its own way.
READ_TIMEOUT_SECONDS, EMULATOR_TIMEOUT_SECONDS = 120.0, 8.0
# Seconds of retries of an unknown call: moto answers it with an internal error, which looks temporary.
UNSUPPORTED_RETRY_SECONDS = 0.5
# Seconds, one for each try, after which the guard is asked again before a changing call is sent: less than
# the margin before a lock or a mark expires. The last tries allow for slow credentials.
_GUARD_VALID_SECONDS = (5.0, 5.0, 5.0, 12.0, 12.0)

Answer = Any
Shared = dict[str, "Future[Answer]"]
_NO_BATCH = BatchScope()


class Clients:
    """The AWS clients of one run; with `shared`, equal reads are sent once and share their answer."""

    def __init__(
        self,
        connection: AwsConnection,
        clock: Clock,
        guard: Callable[[], None] = lambda: None,
        shared: Shared | None = None,
        batch_scope: BatchScope = _NO_BATCH,
        timeout: float = READ_TIMEOUT_SECONDS,
    ) -> None:
        self.aws = connection
        self.clock = clock
        self._guard = guard
        self._shared = shared
        # The wall-clock second from which answers are shared; 0 where they are not.
        self.since = clock.wall() if shared is not None else 0.0
        self.batch_scope = batch_scope
        self._timeout = timeout
        self._sharing = threading.Lock()

    def client(self, service: str, region: str = "") -> Client:
        """Return the client of a service, in the stack's region or the one named."""
        return Client(self, self.aws.client(service, region), service, region)

    def with_shared_reads(self, batch_scope: BatchScope = _NO_BATCH, timeout: float = READ_TIMEOUT_SECONDS) -> Clients:
        """Return clients for one look at many resources, in which equal reads are sent once.

        `batch_scope` are the resources that are looked at together. A read without an answer is given up after
        `timeout` seconds.
        """
        if self.shares_reads:
            return self
        return Clients(self.aws, self.clock, self._guard, shared={}, batch_scope=batch_scope, timeout=timeout)

    @property
    def shares_reads(self) -> bool:
        """Whether a read may get the answer of an equal read that was sent a moment ago."""
        return self._shared is not None

    def without_shared_reads(self) -> Clients:
        """Return clients that share no answer, so that each read is sent again."""
        return Clients(self.aws, self.clock, self._guard)

    def call_once(self, call: Callable[[], Answer]) -> Answer:
        """Send one mutating call at most once: nobody knows here whether it may be repeated.

        The guard, which raises if another run has taken over, is asked just before. If the process then stands still
        for too long before the request is sent, the request is refused, and guard and call are tried again.

        Raises:
            WaitTimeout: The call could not be sent soon enough after the guard was asked, at any try.

        """
        for seconds in _GUARD_VALID_SECONDS:
            self._guard()
            begin_change()
            with suppress(StaleRequest), refuse_requests_if(partial(self._is_stale, self.clock.moment(), seconds)):
                return call()
        raise WaitTimeout(
            f"A call to AWS was not sent: {len(_GUARD_VALID_SECONDS)} times more than "
            f"{_GUARD_VALID_SECONDS[0]:.0f} s passed "
            "between the check that no other run is at work and its sending.",
            "Look at what slows this machine down, or at how long its credentials take to come (a "
            "credential_process, a sign-in). Then run the same command again: it goes on.",
        )

    def _is_stale(self, allowed_at: tuple[float, float], seconds: float) -> bool:
        """Return whether more than so many seconds have passed since the guard allowed a call."""
        return self.clock.since(allowed_at) > seconds

    def read(self, key: str, call: Callable[[], Answer]) -> Answer:
        """Make one read, or return the answer of an equal one; equal reads have the same `key`."""
        if self._shared is None:
            return self._read_with_retry(call)
        with self._sharing:
            is_first = key not in self._shared
            future = self._shared.setdefault(key, Future())
        if is_first:
            try:
                future.set_result(self._read_with_retry(call))
            except BaseException as error:  # noqa: BLE001 - raised to all callers, also in other threads
                future.set_exception(error)
        return future.result()

    def read_unshared(self, call: Callable[[], Answer]) -> Answer:
        """Make one read whose answer is shared with nobody."""
        return self._read_with_retry(call)

    def _read_with_retry(self, call: Callable[[], Answer]) -> Answer:
        """Make a read; retry transient errors until the timeout, an operation that an emulator lacks only briefly."""
        timeout = min(self._timeout, EMULATOR_TIMEOUT_SECONDS) if self.aws.endpoint else self._timeout
        retry = RETRY_TRANSIENT & retry_within(UNSUPPORTED_RETRY_SECONDS, is_unsupported_operation)
        return RetryPolicy(self.clock, stop_after_delay(timeout), retry).call(call)


class Client:
    """A boto3 client whose reads return all pages, are retried and shared; mutating calls are sent once."""

    def __init__(self, clients: Clients, raw: Any, service: str, region: str) -> None:
        self._clients = clients
        self._raw = raw
        self._service, self._region = service, region
        self._key = f"{region}/{service}"

    @property
    def shares_reads(self) -> bool:
        """Whether this is one look at many resources, in which equal reads are sent once."""
        return self._clients.shares_reads

    @property
    def batch_scope(self) -> BatchScope:
        """The resources in this region that are looked at together; empty outside of such a look."""
        return self._clients.batch_scope.in_region(self.region)

    @property
    def region(self) -> str:
        """The region that it calls."""
        return self._region or self._clients.aws.region

    @property
    def is_faithful(self) -> bool:
        """Whether reads return all that was written, as AWS's do and some emulators' do not."""
        return self._clients.aws.is_faithful

    def input_shapes(self, calls: Mapping[str, str]) -> Shapes:
        """Return the input shapes of calls; `calls` maps each to the path of a document in its input."""
        return Shapes.of(self._raw.meta.service_model, calls)

    def page(self, operation: str, **params: Any) -> Answer:
        """Read one page, unshared, of a list that may be endless."""
        return self._clients.read_unshared(
            lambda: self._rate_limited(operation, lambda: getattr(self._raw, operation)(**params))
        )

    def __getattr__(self, operation: str) -> Callable[..., Answer]:
        if operation.startswith("_") or not hasattr(self._raw, operation):
            raise AttributeError(f"{operation} is no operation of {self._service}")
        if not operation.startswith(_READS):
            # The guard is asked last: the rate limit or expired credentials may have delayed the call.
            return lambda **params: self._rate_limited(
                operation, lambda: self._clients.call_once(lambda: getattr(self._raw, operation)(**params))
            )
        return lambda **params: self._clients.read(
            f"{self._key}/{operation}/{json.dumps(params, sort_keys=True, default=str)}",
            lambda: self._rate_limited(operation, lambda: self._all_pages(operation, params)),
        )

    def _rate_limited(self, operation: str, call: Callable[[], Answer]) -> Answer:
        """Call as soon as the rate limit allows; a throttled call lowers that limit."""
        clock, rates = self._clients.clock, self._clients.aws.rates
        bucket = (self._service, self._region, operation)
        reads = operation.startswith(_READS)
        if seconds := rates.take(*bucket, reads=reads, now=clock.now()):
            clock.sleep(seconds)
        try:
            return self._with_renewed_credentials(call)
        except Exception as error:
            if categorize(error) is ErrorCategory.THROTTLED:
                rates.record_throttle(*bucket, reads=reads, now=clock.now())
            raise

    def _with_renewed_credentials(self, call: Callable[[], Answer]) -> Answer:
        """Call; where AWS did nothing because the credentials have expired, renew them and call once more."""
        raw = self._raw
        try:
            return call()
        except Exception as error:
            if categorize(error) is not ErrorCategory.EXPIRED:
                raise
            self._raw = self._clients.aws.renew_client(raw, self._service, self._region)
            return call()

    def _all_pages(self, operation: str, params: dict[str, Any]) -> Answer:
        """Read all pages, also of operations whose pages botocore does not know."""
        if self._raw.can_paginate(operation):
            return self._raw.get_paginator(operation).paginate(**params).build_full_result()
        method = getattr(self._raw, operation)
        model = self._raw.meta.service_model.operation_model(self._raw.meta.method_to_api_mapping[operation])
        pages = paginator(method, model)
        return pages.paginate(**params).build_full_result() if pages else method(**params)


def sibling_client(client: Client, service: str, region: str = "") -> Client:
    """Return the client of another service, in the same region or the one named."""
    return client._clients.client(service, region or client._region)
