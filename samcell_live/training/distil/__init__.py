"""Distilling: a starter network learns from another model's distance maps."""
