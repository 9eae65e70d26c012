"""Tuners replayed on the table of real trainings, on a simulated clock."""
