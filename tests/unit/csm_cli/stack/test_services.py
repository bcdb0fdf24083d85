"""What each service is told when it starts."""

from pathlib import Path

from csm_cli.stack.home import Home
from csm_cli.stack.options import Options
from csm_cli.stack.ports import Ports
from csm_cli.stack.services import environment
from csm_common.settings import ServiceSettings


def told(name: str, kafka: str | None = None, ingest_config: Path | None = None) -> dict[str, str]:
    options = Options(
        home=Home(Path("/home")), ports=Ports.from_base(7600), kafka=kafka, ingest_config=ingest_config
    )
    return environment(
        name, options=options, bootstrap=kafka or "127.0.0.1:7607", dsn="postgresql://u:p@h/csm"
    )


def test_on_the_embedded_broker_one_process_owns_all_partitions_of_a_log_that_may_be_new() -> None:
    settings = told("health-score")

    assert settings["CSM_HTTP__PORT"] == "7601"
    assert settings["CSM_DATABASE__DSN"] == "postgresql://u:p@h/csm"
    assert settings["CSM_KAFKA__BOOTSTRAP"] == "127.0.0.1:7607"
    assert settings["CSM_KAFKA__ASSIGNMENT"] == "all"
    assert settings["CSM_KAFKA__IDEMPOTENCE"] == "false"
    assert settings["CSM_KAFKA__ON_NEW_LOG"] == "restart"


def test_on_a_given_kafka_the_production_settings_hold() -> None:
    settings = told("health-score", kafka="kafka:9092")

    assert settings["CSM_KAFKA__ASSIGNMENT"] == "group"
    assert settings["CSM_KAFKA__IDEMPOTENCE"] == "true"
    assert "CSM_KAFKA__ON_NEW_LOG" not in settings


def test_only_the_notifier_is_told_where_mails_go() -> None:
    assert told("notifier")["CSM_SMTP__PORT"] == "7605"
    assert not [name for name in told("ingest") if name.startswith("CSM_SMTP")]


def test_only_ingest_is_told_of_its_configuration() -> None:
    file = Path("/etc/csm/ingest.yaml")

    assert told("ingest", ingest_config=file)["CSM_INGEST__CONFIG"] == "/etc/csm/ingest.yaml"
    assert "CSM_INGEST__CONFIG" not in told("notifier", ingest_config=file)


def test_without_a_configuration_that_of_the_environment_stays() -> None:
    assert "CSM_INGEST__CONFIG" not in told("ingest")


def test_every_name_is_one_the_services_read() -> None:
    known = {f"CSM_{name.upper()}" for name in ServiceSettings.model_fields}
    for name in told("ingest"):
        section, _, member = name.partition("__")
        assert section in known
        annotation = ServiceSettings.model_fields[section.removeprefix("CSM_").lower()].annotation
        assert member.lower() in annotation.model_fields  # type: ignore[union-attr]
