"""A TimescaleDB and a Mosquitto of one's own, without root, Docker or installation."""
