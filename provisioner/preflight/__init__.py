"""What can be checked before the first call that changes anything; run only where something is to be made."""
