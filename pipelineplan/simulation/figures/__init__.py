"""What is read off a run: its curves, and every figure with its unit and error class."""
