"""The benchmarks of `make bench`: whole processes against the local AWS, compared with their limits."""
