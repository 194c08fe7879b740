"""MQTT in, readings out: decode, validate, store, acknowledge."""
