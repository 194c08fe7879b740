"""Numpy kernels, and the one module that runs them against the database."""
