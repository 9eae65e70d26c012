"""results/<project>/: keeps a project's files, and does nothing else."""
