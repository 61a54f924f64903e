"""Questions about many runs: the least that is enough, which number matters, what a recording says."""
