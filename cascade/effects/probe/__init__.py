"""What asks the application whether it works, and leaves no trace: each probe in a transaction that cannot commit."""
