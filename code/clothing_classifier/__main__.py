"""`python -m clothing_classifier`, and what launchers of several processes start: see docs/distributed.md."""

import sys

from clothing_classifier.cli import main

if __name__ == "__main__":
    sys.argv[0] = "clothing"  # what help and run records show
    main()
