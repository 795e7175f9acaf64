"""The run on disk: OME-Zarr 0.5, which is also the queue between the processes."""
