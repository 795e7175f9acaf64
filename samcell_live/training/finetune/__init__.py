"""Fine-tuning SAMCell: SAM, or SAMCell's own weights, taught distance maps of new cells."""
