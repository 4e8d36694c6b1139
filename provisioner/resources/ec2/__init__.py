"""The resource types of EC2: VPC, subnets, routes, gateways, security groups, endpoints, flow logs."""
