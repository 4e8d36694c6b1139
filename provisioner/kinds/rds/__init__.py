"""How RDS does Aurora: the groups it stands on, the cluster, its instances."""
