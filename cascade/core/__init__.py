"""Values in, values out: what is expected, what is observed, how they differ, what repairs it."""
