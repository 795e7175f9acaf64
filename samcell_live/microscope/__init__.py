"""The acquisition's side: pymmcore-plus, real or simulated."""
