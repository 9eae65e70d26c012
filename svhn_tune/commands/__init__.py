"""The commands: one library call each. cli.py names them, and prints their errors."""
