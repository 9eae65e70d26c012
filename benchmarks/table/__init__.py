"""A table of real trainings: listed by parts.py, read by runs.py, filled in by learned.py."""
