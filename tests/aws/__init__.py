"""Access to AWS: credentials, sign-in, responses, pages, rate limits."""
