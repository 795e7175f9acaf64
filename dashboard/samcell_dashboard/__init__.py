"""The web page of a run. Reads run stores, never writes; needs no torch, no microscope."""
