"""What one run did: its recorder, its record, its timeline."""
