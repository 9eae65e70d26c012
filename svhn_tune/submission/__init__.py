"""The file to hand in: written, and checked against the rules."""
