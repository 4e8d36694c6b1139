"""IAM policies that are printed and policies of the stack."""
