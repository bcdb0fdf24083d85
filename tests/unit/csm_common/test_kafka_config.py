"""The same connection settings in the words of both Kafka clients."""

import ssl

import pytest

from csm_common.kafka.config import client_config, consumer_config
from csm_common.settings import KafkaSettings

PLAIN = KafkaSettings(bootstrap="broker:9092")
SECURED = KafkaSettings.model_validate(
    {
        "bootstrap": "broker:9093",
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_username": "csm",
        "sasl_password": "a secret",
    }
)


def test_without_security_nothing_of_it_is_said() -> None:
    for config in (client_config(PLAIN), consumer_config(PLAIN)):
        assert "PLAINTEXT" in config.values()
        assert not [name for name in config if "sasl" in name or "ssl" in name]


def test_a_login_reaches_both_clients() -> None:
    assert client_config(SECURED) | {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "csm",
        "sasl.password": "a secret",
    } == client_config(SECURED)
    config = consumer_config(SECURED)
    assert (config["sasl_plain_username"], config["sasl_plain_password"]) == ("csm", "a secret")
    assert config["sasl_mechanism"] == "SCRAM-SHA-512"
    assert config["ssl_context"].verify_mode is ssl.CERT_REQUIRED


def test_a_private_authority_reaches_both_clients() -> None:
    private = SECURED.model_copy(update={"ssl_cafile": "/etc/csm/ca.pem"})
    assert client_config(private)["ssl.ca.location"] == "/etc/csm/ca.pem"
    with pytest.raises(FileNotFoundError):  # it is read, not ignored
        consumer_config(private)


def test_the_password_does_not_show_in_the_settings() -> None:
    assert "a secret" not in repr(SECURED)
