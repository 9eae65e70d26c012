"""One run: a model trained from one seed, and the processes where runs execute."""
