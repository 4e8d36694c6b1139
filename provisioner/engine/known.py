"""What is known of each node in a run, and the waiting for what is not known yet."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from provisioner.engine.refs import Doc, Ref, dig
from provisioner.engine.target import Target
from provisioner.errors import OutOfPatience

# A value that AWS fills in later than the id (an endpoint) is waited for this long.
_PATIENCE = 1800.0


class Known:
    """What AWS said last of every node; written by the threads that work, read by those that need it."""

    def __init__(self, docs: Mapping[str, Doc]) -> None:
        self.docs: dict[str, Doc] = dict(docs)
        self._ended: set[str] = set()
        self._news = threading.Condition()

    def learn(self, target: Target, doc: Doc) -> None:
        """Take in what AWS says of one."""
        with self._news:
            merged = {**self.docs.get(target.it.node, {}), **doc}
            self.docs[target.it.node] = {**merged, "id": target.it.id}
            self._news.notify_all()

    def end(self, node: str) -> None:
        """Nothing more will become known of one."""
        with self._news:
            self._ended.add(node)
            self._news.notify_all()

    def wait_for(self, ref: Ref) -> Any:
        """The value of a ref; where AWS fills it in later than the id, wait until it is there."""

        def settled() -> bool:
            return dig(self.docs.get(ref.node, {}), ref.path) is not None or ref.node in self._ended

        with self._news:
            self._news.wait_for(settled, timeout=_PATIENCE)
            value = dig(self.docs.get(ref.node, {}), ref.path)
        if value is None:
            raise OutOfPatience(f"AWS does not give {ref}.", "Run the same command again: it looks again.")
        return value
