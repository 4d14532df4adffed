"""Words core values: text, SQL, JSON, DOT. Pure."""
