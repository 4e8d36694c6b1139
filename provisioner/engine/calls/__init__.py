"""A call to AWS: its client, its retries, and what its error means."""
