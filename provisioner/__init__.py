"""Brings one production ML API stack up on AWS, changes it, and takes it down again."""

__version__ = "0.1.0"
