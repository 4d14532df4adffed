"""What changes the target: a session of its own, one transaction, a journal of all that was sent."""
