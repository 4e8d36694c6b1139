"""What `make bench` measures: whole processes before the embedded AWS, held against what is wanted."""
