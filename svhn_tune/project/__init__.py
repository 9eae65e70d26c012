"""results/<project>/: a project's files, kept and nothing more."""
