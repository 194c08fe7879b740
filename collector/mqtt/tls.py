"""TLS as the settings ask for it, for whatever opens the connection."""

from __future__ import annotations

import ssl

from collector.settings import Broker


def context_for(broker: Broker) -> ssl.SSLContext:
    """A context that checks the broker's certificate and name.

    Trusted are the system's authorities, or only those of ``ca_file``. Reads files, so it
    belongs in a thread.
    """
    try:
        named = f"COLLECTOR_MQTT_CA={broker.ca_file}"
        context = ssl.create_default_context(cafile=broker.ca_file)
        if broker.certificate_file:
            named = f"COLLECTOR_MQTT_CERTIFICATE={broker.certificate_file} and its key"
            context.load_cert_chain(broker.certificate_file, broker.key_file)
    except ssl.SSLError as error:
        # OpenSSL names no file.
        raise OSError(f"{named} cannot be used: {error}") from error
    return context
