"""What a project's journal says, read and never written."""
