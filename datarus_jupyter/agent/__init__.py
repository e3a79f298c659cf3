"""The agent: the loop, observations, grounding, limits. It knows Protocols, no concrete class."""
