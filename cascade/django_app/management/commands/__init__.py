"""``manage.py cascade``."""
