"""From labels to what a biologist reads. Needs no torch, no store, no microscope."""
