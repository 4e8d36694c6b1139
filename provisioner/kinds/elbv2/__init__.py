"""How Elastic Load Balancing does it: balancer, target groups, listeners and their rules."""
