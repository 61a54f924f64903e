"""The fluid: queues of every partition and edge, moved from one change to the next without a step."""
