"""Project -> report.html, figures, tables."""
