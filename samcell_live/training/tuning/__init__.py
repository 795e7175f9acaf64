"""Searching the two thresholds of the watershed on labelled images."""
