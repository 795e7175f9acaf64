"""``python -m samcell_live`` is the command ``samcell-live``."""

from samcell_live.cli import main

main()
