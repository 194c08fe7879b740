"""Messages from a broker: one session over as many connections as it takes."""
