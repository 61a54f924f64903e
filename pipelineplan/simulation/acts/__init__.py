"""What happens to a run, and the library of it: outages, rebalances, scaling, expiry, late records."""
