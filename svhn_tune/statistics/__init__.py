"""Of lists of scores: how good, how far apart, in which order. Nothing here reads a project."""
