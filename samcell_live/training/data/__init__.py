"""Labelled images from other people's folders, and from our own runs."""
