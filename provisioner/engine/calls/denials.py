"""Denied calls: the missing right, the sort of policy that denied it, and what a person can do about it.

IAM user guide, troubleshooting access denied messages: "because no identity-based policy allows the iam:X
action", "with an explicit deny in a service control policy"; the policy's ARN comes after that where account
or organisation are the same (AWS security blog, enhanced access denied error messages with policy ARNs).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

# The action that is missing may be another than the call's own, such as iam:PassRole.
_ACTION = re.compile(r"not authorized to perform:? ([a-z0-9-]+:[A-Za-z]+)")
_POLICY = r"((?:[\w-]+ )*?(?:policy|boundary))"
_DENIES = re.compile(rf"explicit deny(?: in (?:an?|the) {_POLICY}(?:: (arn:[^\s,;]*[^\s,;.]))?)?", re.IGNORECASE)
_NOT_ALLOWED = re.compile(rf"because no {_POLICY} allows", re.IGNORECASE)
_OWN_POLICIES = ("", "identity-based policy")
_ORGANISATION_ADMINISTRATOR = "whoever manages the organisation"
# Who changes a policy if not the caller's own administrator, and how to avoid a policy that denies.
_ADMINISTRATORS: Mapping[str, str] = {
    "service control policy": _ORGANISATION_ADMINISTRATOR,
    "resource control policy": _ORGANISATION_ADMINISTRATOR,
    "permissions boundary": "whoever set it for this user or role",
    "resource-based policy": "whoever owns that resource",
    "role trust policy": "whoever owns that role",
}
_WORKAROUNDS: Mapping[str, str] = {
    "session policy": "sign in, or assume the role, without it",
    "vpc endpoint policy": "change that endpoint's policy, or call from elsewhere",
}


@dataclass(frozen=True)
class Denial:
    """A call that AWS denied: the right to it, and by which sort of policy; "" where AWS names none."""

    right: str
    policy: str = ""
    explicit: bool = False
    arn: str = ""

    @classmethod
    def of(cls, error: BaseException, action: str = "") -> Denial:
        """Return the denial that AWS's answer describes; `action` is the right if the answer names none."""
        message = str(error)
        action_match = _ACTION.search(message)
        right = action_match[1] if action_match else action or f"to call {getattr(error, 'operation_name', 'this')}"
        if deny := _DENIES.search(message):
            return cls(right, deny[1] or "", explicit=True, arn=deny[2] or "")
        missing = _NOT_ALLOWED.search(message)
        return cls(right, missing[1] if missing else "")

    @property
    def clause(self) -> str:
        """Why the call was denied, for a note."""
        if self.explicit:
            return f"{self._deny} forbids {self.right}"
        if self._is_own:
            return f"these credentials lack {self.right}"
        return f"no {self.policy} allows {self.right}"

    def remedy(self, further: str = "") -> str:
        """Return what to do, without a full stop; `further` follows if a right of the caller is missing."""
        policy = self.policy.lower()
        if self.explicit:
            change = f"have it changed by {_ADMINISTRATORS[policy]}" if policy in _ADMINISTRATORS else "take it away"
            deny = self._deny[0].upper() + self._deny[1:]
            return (
                f"{deny} forbids {self.right}, and no right outweighs it: {_WORKAROUNDS.get(policy, change)}, or "
                "meet its condition where it has one (such as a region or a tag)"
            )
        if not self._is_own:
            administrator = f" (it is changed by {_ADMINISTRATORS[policy]})" if policy in _ADMINISTRATORS else ""
            return f"The rights of the caller are not enough: let the {self.policy} allow {self.right}{administrator}"
        return f"Give these credentials the right {self.right}{further}"

    @property
    def further_cause(self) -> str:
        """What else may be why, in a sentence: AWS says the same of a right whose condition is not met."""
        if self.explicit or not self._is_own:
            return ""
        other_policies = "" if self.policy else ", or a policy above theirs"
        return (
            "Where they have it already, its condition (such as a region or a tag) or its resources leave "
            f"this call out{other_policies}."
        )

    @property
    def _is_own(self) -> bool:
        return self.policy.lower() in _OWN_POLICIES

    @property
    def _deny(self) -> str:
        article = "an" if self.policy[:1] in ("i", "I") else "a"
        where = f" in {article} {self.policy}" if self.policy else ""
        return f"an explicit deny{where}{f' ({self.arn})' if self.arn else ''}"
