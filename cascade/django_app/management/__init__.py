"""Where Django looks for the command."""
