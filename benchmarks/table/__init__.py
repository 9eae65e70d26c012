"""A table of real trainings: made by train.py, read by runs.py, filled in between by learned.py."""
