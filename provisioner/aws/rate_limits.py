"""Limits the rate of calls to each AWS service, by token buckets that all threads share."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

# A throttle halves a rate, and each call that AWS accepts restores this share of it; a rate never falls below
# the least share.
_RECOVERY_STEP, _LEAST_SHARE = 0.05, 0.2


@dataclass(frozen=True)
class Rate:
    """A rate limit: a burst of calls, then so many a second; for each operation, or for all together."""

    burst: float
    each_second: float
    per_operation: bool = False


# EC2 API throttling (non-mutating 100 and 20, per API); Amazon ECS request throttling (reads). The others are
# from memory, and on the careful side: a bucket that is too small costs less than a throttle.
READS: Mapping[str, Rate] = {
    "ec2": Rate(100, 20, per_operation=True),
    "ecs": Rate(50, 20),
    "cloudfront": Rate(20, 5),
    "iam": Rate(40, 15),
    "wafv2": Rate(20, 5),
    "acm": Rate(20, 10),
    "logs": Rate(20, 10),
    # An account has five requests a second, all together (Route 53 developer guide, quotas).
    "route53": Rate(5, 3),
}
CHANGES: Mapping[str, Rate] = {
    "ec2": Rate(50, 5, per_operation=True),
    "ecs": Rate(20, 2),
    "cloudfront": Rate(5, 2),
    "iam": Rate(20, 5),
    "wafv2": Rate(3, 1),
    "logs": Rate(10, 10),
    "acm": Rate(5, 5),
    "route53": Rate(2, 1),
    "kms": Rate(5, 5),
    "s3": Rate(10, 10),
}
OPERATIONS: Mapping[str, Rate] = {
    "ec2:create_nat_gateway": Rate(10, 1),
    "ec2:create_vpc_endpoint": Rate(4, 0.3),
    "ec2:modify_vpc_endpoint": Rate(4, 0.3),
    "ec2:delete_vpc_endpoints": Rate(4, 0.3),
}
USUAL_READS, USUAL_CHANGES = Rate(100, 20), Rate(40, 10)


@dataclass
class TokenBucket:
    """A token bucket: it refills with time, and a caller who takes a missing token waits for it.

    `share` is the part of the rate that is in use after throttles, `refilled_at` the second of the last refill.
    """

    rate: Rate
    tokens: float = field(init=False)
    refilled_at: float | None = None
    share: float = 1.0

    def __post_init__(self) -> None:
        self.tokens = self.rate.burst

    def take(self, now: float) -> float:
        """Take one token, and return the seconds until it is there."""
        self._refill(now)
        self.tokens -= 1
        self.share = min(1.0, self.share + _RECOVERY_STEP)
        return max(0.0, -self.tokens / (self.rate.each_second * self.share))

    def slow_down(self, now: float) -> None:
        """Empty the bucket and halve its rate, because AWS has throttled a call."""
        self._refill(now)
        self.share = max(_LEAST_SHARE, self.share / 2)
        self.tokens = min(self.tokens, 0.0)

    def _refill(self, now: float) -> None:
        """Add the tokens that have come back since the last refill."""
        if self.refilled_at is not None:
            refilled = (now - self.refilled_at) * self.rate.each_second * self.share
            self.tokens = min(self.rate.burst, self.tokens + refilled)
        self.refilled_at = now


@dataclass
class RateLimiter:
    """The token buckets of one run, and what they cost it.

    `speed` is the speed of the AWS that is called. By service, `waited` holds the seconds of waiting, and
    `throttles` how often AWS throttled.
    """

    speed: float = 1.0
    waited: dict[str, float] = field(default_factory=dict)
    throttles: dict[str, int] = field(default_factory=dict)
    _buckets: dict[tuple[str, str, str], TokenBucket] = field(default_factory=dict)
    _mutex: threading.Lock = field(default_factory=threading.Lock)

    def take(self, service: str, region: str, operation: str, *, reads: bool, now: float) -> float:
        """Return the seconds to wait before this call; 0 if the emulator takes no time."""
        with self._mutex:
            seconds = self._bucket(service, region, operation, reads=reads).take(now) * self.speed
            if seconds:
                self.waited[service] = self.waited.get(service, 0.0) + seconds
        return seconds

    def record_throttle(self, service: str, region: str, operation: str, *, reads: bool, now: float) -> None:
        """Slow down the bucket of the call that AWS throttled, and no other."""
        with self._mutex:
            self._bucket(service, region, operation, reads=reads).slow_down(now)
            self.throttles[service] = self.throttles.get(service, 0) + 1

    def _bucket(self, service: str, region: str, operation: str, *, reads: bool) -> TokenBucket:
        """Return the bucket of a call: its operation's own, or that of the service's reads or changes."""
        defaults = (READS, USUAL_READS) if reads else (CHANGES, USUAL_CHANGES)
        operation_rate = OPERATIONS.get(f"{service}:{operation}")
        rate = operation_rate or defaults[0].get(service, defaults[1])
        bucket_name = operation if operation_rate or rate.per_operation else "reads" if reads else "acts"
        return self._buckets.setdefault((service, region, bucket_name), TokenBucket(rate))
