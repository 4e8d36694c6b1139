"""The emulator: what it answers as AWS does, and how it is kept apart from AWS."""
