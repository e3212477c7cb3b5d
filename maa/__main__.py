"""`python -m maa`."""

import sys

from maa.cli import main

if __name__ == "__main__":
    sys.exit(main())
