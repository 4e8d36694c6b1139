"""The declared resources, one module per step. stack.py calls the steps in order."""
