"""Draws the clothes-like shapes, which stand in for Fashion-MNIST where there is none."""
