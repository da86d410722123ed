"""The commands, a module for each noun of the API: options are read, the client called, answers shown."""
