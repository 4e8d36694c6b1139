"""The IAM permissions that each command needs, derived from the declared graph and the calls of its types."""
