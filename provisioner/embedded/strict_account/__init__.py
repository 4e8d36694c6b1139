"""What an organisation and its contracts add to an account: `local start --account strict`."""

from provisioner.embedded.strict_account import pricing_plans, protected_logs

__all__ = ["pricing_plans", "protected_logs"]
