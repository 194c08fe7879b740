#!/bin/sh
# Passwords come from the environment and are hashed into memory at every start, so that
# there is neither a default one nor one on disk.
set -eu
umask 077
printf 'beffroi:%s\nsensors:%s\n' "$BEFFROI_MQTT_PASSWORD" "$BEFFROI_SENSORS_PASSWORD" \
    > /run/mosquitto/passwords
# Mosquitto wants its lists readable by itself alone, which a mounted file need not be.
cp /mosquitto/config/acl /run/mosquitto/acl
mosquitto_passwd -U /run/mosquitto/passwords
exec mosquitto -c /mosquitto/config/mosquitto.conf
