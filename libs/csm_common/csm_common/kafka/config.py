"""Connection settings in the words of both clients."""

import ssl
from typing import Any

from csm_common.settings import KafkaSettings


def client_config(settings: KafkaSettings) -> dict[str, Any]:
    """For librdkafka; of its own log only errors, such as a refused connection or login."""
    config: dict[str, Any] = {
        "bootstrap.servers": settings.bootstrap,
        "security.protocol": settings.security_protocol,
        "log_level": 3,
        "broker.address.family": "v4",
    }
    if settings.sasl_mechanism:
        config |= {
            "sasl.mechanism": settings.sasl_mechanism,
            "sasl.username": settings.sasl_username,
            "sasl.password": settings.sasl_password.get_secret_value() if settings.sasl_password else None,
        }
    if settings.ssl_cafile:
        config["ssl.ca.location"] = settings.ssl_cafile
    return config


def consumer_config(settings: KafkaSettings) -> dict[str, Any]:
    """For aiokafka."""
    config: dict[str, Any] = {
        "bootstrap_servers": settings.bootstrap,
        "security_protocol": settings.security_protocol,
    }
    if settings.security_protocol in ("SSL", "SASL_SSL"):
        config["ssl_context"] = ssl.create_default_context(cafile=settings.ssl_cafile)
    if settings.sasl_mechanism:
        config |= {
            "sasl_mechanism": settings.sasl_mechanism,
            "sasl_plain_username": settings.sasl_username,
            "sasl_plain_password": settings.sasl_password.get_secret_value()
            if settings.sasl_password
            else None,
        }
    return config
