"""From a plan to what is simulated: its chains, their stages, what they remember and what they use."""
