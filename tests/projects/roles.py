"""Who has to do with a project's database, and the schema where things go astray."""

OWNER = "project_owner"
"""Who migrates, and so owns every table."""

APPLICATION = "project_app"
"""Who serves requests: default privileges give it all that it needs, as in real life, and nothing is its own."""

READER = "project_reader"
"""Somebody else whom default privileges let read."""

STRANGER = "project_stranger"
"""A role that has to do with none of it."""

STRAY_SCHEMA = "test_schema"
"""The schema that comes first on a search_path by mistake."""
