"""What runs or changes something outside this process."""
