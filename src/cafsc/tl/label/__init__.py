"""Names of states and published schemes, or the reason why there is none."""
