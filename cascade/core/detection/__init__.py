"""Detection: expected beside observed, one module for each sort of thing that can differ."""
