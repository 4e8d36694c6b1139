"""Resource types: their calls, their owners, their behaviour on AWS."""
