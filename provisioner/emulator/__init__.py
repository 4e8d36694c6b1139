"""Local AWS: moto's server in a process of its own, with patches where moto is wrong or too lenient."""
