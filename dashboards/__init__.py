"""Faces for people: Grafana as code, the public board."""
