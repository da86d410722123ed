"""`convergence`, the command line: all that it does goes over the public API, by its user's own key."""
