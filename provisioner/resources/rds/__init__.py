"""The resource types of RDS: the subnet and parameter groups, the Aurora cluster and its instances."""
