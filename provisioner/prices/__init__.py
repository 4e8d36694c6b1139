"""What a stack costs a month: a table of prices with its date, and what each kind is charged for."""
