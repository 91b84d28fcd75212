"""`python -m rhetoric.cli`."""

from rhetoric.cli import main

main()
