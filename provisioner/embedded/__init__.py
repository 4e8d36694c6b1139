"""AWS in a box: moto's server in a process of its own, corrected where moto is wrong or lax."""
