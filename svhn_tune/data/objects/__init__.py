"""Draws the coloured objects, which stand in for CIFAR-10 where there is none."""
