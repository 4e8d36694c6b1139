"""The checks of `doctor`, from CloudFront to the database: reads from AWS, and judgements of the answers."""
