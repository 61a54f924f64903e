"""The same run many times: replications that can be resumed, a scan for many of them, comparisons."""
