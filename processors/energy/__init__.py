"""Kernels of the energy trade."""
