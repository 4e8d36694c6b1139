"""What is drawn: terminal, pages, pictures."""
