"""`beffroi grafana`: pages and rules brought to a Grafana server, and the server looked at."""
