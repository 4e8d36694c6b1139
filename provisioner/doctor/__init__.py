"""Walks from CloudFront to the database and judges what AWS says of each station on the way."""
