"""The built-in digits, drawn where there are no archives."""
