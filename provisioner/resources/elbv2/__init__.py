"""The resource types of Elastic Load Balancing: load balancer, target group, listener, listener rule."""
