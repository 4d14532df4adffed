"""The incident that cascade was written for, as a small Django project and the script that replays it."""
