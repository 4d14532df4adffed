"""Reads the world into core values and leaves nothing behind."""
