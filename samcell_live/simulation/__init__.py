"""A growing culture and its images, with the truth about every cell."""
