"""Effects of an organisation and its contracts on an account: `local start --account strict`."""

from provisioner.emulator.strict_account import (
    guard_duty,
    log_retention,
    pricing_plans,
    protected_logs,
    shield_mitigation,
    vended_logs,
)

__all__ = [
    "guard_duty",
    "log_retention",
    "pricing_plans",
    "protected_logs",
    "shield_mitigation",
    "vended_logs",
]
