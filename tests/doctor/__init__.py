"""`doctor`: its checks, each over documents and on broken stacks."""
