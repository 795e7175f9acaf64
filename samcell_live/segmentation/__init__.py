"""Image to distance map to labelled cells."""
