"""The same site for a test run that keeps its tables apart, in a schema of its own."""

from .settings import *  # noqa: F403
from .settings import DATABASES

DATABASES["default"]["OPTIONS"] = {"options": "-c search_path=test_schema,public"}
