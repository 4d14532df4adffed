"""The postmortem: worded once, in blocks, and shown as Markdown and as one page of HTML."""

from cascade.render.pictures import Picture
from cascade.render.report.blocks import Report
from cascade.render.report.html import render_report_html
from cascade.render.report.markdown import render_report_markdown
from cascade.render.report.marks import is_marked, marked
from cascade.render.report.sections import make_report

__all__ = ["Picture", "Report", "is_marked", "make_report", "marked", "render_report_html", "render_report_markdown"]
