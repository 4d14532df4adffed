"""The four apps of the site."""
