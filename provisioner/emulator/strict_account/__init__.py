"""Effects of an organisation and its contracts on an account: `local start --account strict`."""

from provisioner.emulator.strict_account import (  # noqa: F401  # importing them registers their hooks
    guard_duty,
    log_policies,
    pricing_plans,
    shield_mitigation,
)
