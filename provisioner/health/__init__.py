"""The health of a stack by topic: each module makes the lines of its topics from what AWS says now."""
