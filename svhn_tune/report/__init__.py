"""project -> figures and the page. It reads what a project's folder holds, and trains nothing."""
