"""What trains: search and confirm."""
