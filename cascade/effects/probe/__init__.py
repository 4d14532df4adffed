"""What asks the application whether it works, and leaves nothing behind: each probe in a transaction that cannot commit."""
