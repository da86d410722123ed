"""`python -m cli`: the same as `convergence`."""

from cli.app import main

main()
