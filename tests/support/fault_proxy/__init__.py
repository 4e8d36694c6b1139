"""Replies of AWS, of proxies and of stores, played to whole processes.

    with Front(desk.box.endpoint) as front:
        front.order(bare_429(retry_after_ms=50), service="s3", operation="PutObject", nth=2)
        desk.process("plan", "--suffix", "a", **front.as_endpoint)

`FaultProxy` stands before the emulator: as an endpoint, over TLS, and as a proxy that opens what passes.
`plays` has what can happen to a request; `trust` makes certificates nobody has to trust.
"""

from __future__ import annotations

from tests.support.fault_proxy.front import FaultProxy, ScriptedReply, SeenRequest
from tests.support.fault_proxy.message import Answer, HangUp
from tests.support.fault_proxy.trust import Trust

__all__ = ["Answer", "FaultProxy", "HangUp", "ScriptedReply", "SeenRequest", "Trust"]
