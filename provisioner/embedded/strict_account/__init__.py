"""What an organisation and its contracts add to an account: `local start --account strict`."""

from provisioner.embedded.strict_account import (
    log_retention,
    pricing_plans,
    protected_logs,
    shield_mitigation,
)

__all__ = ["log_retention", "pricing_plans", "protected_logs", "shield_mitigation"]
