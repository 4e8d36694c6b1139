"""The report: one HTML page about one stack, with a diagram of its resources."""
