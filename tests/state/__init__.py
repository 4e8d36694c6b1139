"""The state: file, bucket, lock, runs."""
