"""A make-believe city: believable sensors, weather and mishaps, published over real MQTT."""
