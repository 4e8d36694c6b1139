"""The plan: what is declared, what the state records and what AWS has, compared; and the action for each resource."""
