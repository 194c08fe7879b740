"""Kernels of the air trade."""
