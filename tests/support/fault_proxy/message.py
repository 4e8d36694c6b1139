"""An answer as it goes over the wire: what it says, and how much of it comes, how fast."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from http.client import responses

Headers = tuple[tuple[str, str], ...]


class HangUp(Exception):  # an order, not an error
    """The connection ends without an answer; with `reset`, as if the other side had crashed."""

    def __init__(self, *, reset: bool = False) -> None:
        super().__init__("reset" if reset else "closed")
        self.reset = reset


@dataclass(frozen=True)
class Answer:
    """One HTTP response.

    `length` is what Content-Length says, the body's own where it is None. `sent` bytes of head and body
    together go out before the connection ends, all of them where it is None. `every` is the number of
    seconds before each byte of the body, with `slow_head` of the head too; 0 sends all at once. `raw`,
    where it is given, is sent in place of head and body.
    """

    status: int = 200
    headers: Headers = ()
    body: bytes = b""
    length: int | None = None
    sent: int | None = None
    every: float = 0.0
    slow_head: bool = False
    raw: bytes | None = None

    def header(self, name: str) -> str:
        """The value of a header, "" where there is none."""
        return next((value for known, value in self.headers if known.lower() == name.lower()), "")

    def with_headers(self, changed: Mapping[str, str]) -> Answer:
        """The same answer with these headers in place of those of their names."""
        return replace(self.without(changed), headers=(*self.without(changed).headers, *changed.items()))

    def without(self, names: Iterable[str]) -> Answer:
        """The same answer without these headers."""
        gone = {name.lower() for name in names}
        return replace(self, headers=tuple(one for one in self.headers if one[0].lower() not in gone))

    def head(self, *, carries_body: bool) -> bytes:
        """The status line and the headers, with their end."""
        length = len(self.body) if self.length is None else self.length
        headers = self.headers
        if carries_body:
            headers = (*self.without(["Content-Length"]).headers, ("Content-Length", str(length)))
        lines = [f"HTTP/1.1 {self.status} {responses.get(self.status, 'Unknown')}"]
        lines += [f"{name}: {value}" for name, value in headers]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


@dataclass
class Sender:
    """Sends answers over one connection; `ended` stops one that drips."""

    write: Callable[[bytes], object]
    ended: threading.Event = field(default_factory=threading.Event)

    def send(self, answer: Answer, *, carries_body: bool) -> bool:
        """Send it; whether the connection can be used for another."""
        head = answer.head(carries_body=carries_body)
        whole = head + (answer.body if carries_body else b"") if answer.raw is None else answer.raw
        told = whole if answer.sent is None else whole[: answer.sent]
        if not answer.every:
            self.write(told)
        elif not self._drip(told, 0 if answer.slow_head else len(head), answer.every):
            return False
        return answer.raw is None and len(told) == len(whole) and answer.length is None

    def _drip(self, told: bytes, freely: int, every: float) -> bool:
        self.write(told[:freely])
        for at in range(freely, len(told)):
            if self.ended.wait(every):
                return False
            self.write(told[at : at + 1])
        return True
