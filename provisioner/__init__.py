"""Create, change and delete one production ML API stack on AWS."""

__version__ = "0.1.0"
