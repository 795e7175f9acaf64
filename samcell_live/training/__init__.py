"""Training the starter network."""
