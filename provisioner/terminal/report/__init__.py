"""One page about one stack, and the picture of what sits where."""
