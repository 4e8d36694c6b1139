"""How a stack is: a module a topic, each tells from what AWS says now."""
