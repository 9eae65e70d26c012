"""Draws the built-in clocks."""
