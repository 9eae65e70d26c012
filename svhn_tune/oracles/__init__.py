"""What proposes values and learns scores, one module per oracle."""
