"""What a project writes down, and reads again: journal.jsonl and project.json, as types."""
