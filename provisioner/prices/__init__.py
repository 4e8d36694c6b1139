"""The monthly cost of a stack: dated tables of prices, and the charges of each resource type."""
