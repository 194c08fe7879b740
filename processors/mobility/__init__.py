"""Kernels of the mobility trade."""
