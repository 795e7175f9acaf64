"""Readers of recorded runs: folders of images, and our own stores."""
