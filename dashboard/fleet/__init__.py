"""The fleet page: all clients, the worst first."""
