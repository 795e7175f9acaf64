"""Working off a run: every frame on disk that has no result gets one."""
