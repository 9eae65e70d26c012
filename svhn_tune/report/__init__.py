"""project -> report.html: the answer, figures, tables, and how to repeat it."""

from .page import write_report

__all__ = ["write_report"]
