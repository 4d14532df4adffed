"""Finds what is not where a Django project's applied migrations say it is, and the order of its repair."""

__version__ = "0.1.0"
