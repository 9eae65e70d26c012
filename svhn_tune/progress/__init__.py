"""What is told while runs train."""
