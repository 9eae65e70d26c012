"""What training costs, and what fits a budget."""
