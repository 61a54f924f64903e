"""pipelineplan."""
