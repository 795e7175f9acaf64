"""Will this run work, and will it keep up? Asked before it starts."""
