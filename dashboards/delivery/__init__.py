"""Grafana's pages and rules brought to a server over its HTTP API, and a server looked at."""
