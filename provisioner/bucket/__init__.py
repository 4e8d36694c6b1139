"""The S3 bucket that keeps the states of a team's stacks."""
