"""The engine: graph, plan, execution, waits, retries, estimates."""
