"""Removal of control sequences from text of AWS and containers before it is printed.

Everything that is printed passes `clean`. The tool's own sequences (colours, the cursor moves of `--watch`)
are wrapped by `own` with a number that is drawn for each process, so that no other text can contain one.
"""

from __future__ import annotations

import re
import secrets

_PROCESS_TOKEN = secrets.token_hex(8)
_TRUSTED = re.compile(rf"\x00{_PROCESS_TOKEN}:([^\x00]*)\x00")
# ECMA-48 and xterm's ctlseqs: strings (OSC, DCS, SOS, PM, APC) to their end, CSI, sequences of two
# characters, then each single control character; and the Unicode characters that change the direction of
# text or tag it (UAX 9, 3).
_CONTROL_STRINGS = r"(?:\x1b[\]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)"
_CSI = r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
_TWO_CHARACTERS = r"\x1b[ -/]*[0-~]"
_DIRECTION_MARKS = "\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f"
_UNTRUSTED = (
    _CONTROL_STRINGS + "|" + _CSI + "|" + _TWO_CHARACTERS + r"|[\x00-\x08\x0b-\x1f\x7f-\x9f" + _DIRECTION_MARKS + "]"
)
_ANY_SEQUENCE = re.compile(f"{_TRUSTED.pattern}|{_UNTRUSTED}")


def trusted_sequence(sequence: str) -> str:
    """Return a control sequence in the wrapping that `clean` recognises and lets through."""
    return f"\x00{_PROCESS_TOKEN}:{sequence}\x00"


def sanitize(text: str) -> str:
    """Return the text without control sequences other than the tool's own; line breaks and tabs stay."""
    return _ANY_SEQUENCE.sub(lambda match: match[1] or "", text)


def unwrap_trusted(text: str) -> str:
    """Return the text as it is, only with the tool's own sequences unwrapped."""
    return _TRUSTED.sub(lambda match: match[1], text)
