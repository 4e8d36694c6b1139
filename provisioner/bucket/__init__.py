"""A bucket in S3 that keeps the state of a team's stacks."""
