"""Real engines run the plan's windows on recorded events, and their answer is compared with `eventtime`'s."""
