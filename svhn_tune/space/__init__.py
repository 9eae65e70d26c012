"""What a space file says; it knows no model family."""
