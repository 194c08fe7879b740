"""Recorded files, published as their sensors would have: real MQTT, real decoding."""
