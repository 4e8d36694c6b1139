"""What is remembered: the ledger, and where it lives."""
