"""`csm topics`: the topics of the registry, and making them on a broker."""

import asyncio
from typing import Annotated

import typer
from pydantic_settings import BaseSettings, SettingsConfigDict
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Column, Table

from csm_common.contracts.topics import DAY_MS, TOPICS, Topic
from csm_common.settings import KafkaSettings


class Settings(BaseSettings):
    """What the services read of Kafka, too: its security settings come from the environment."""

    model_config = SettingsConfigDict(env_prefix="CSM_", env_nested_delimiter="__", extra="ignore")

    kafka: KafkaSettings


topics = typer.Typer(no_args_is_help=True, help="List the product's topics, or make them on a broker.")


@topics.command("list")
def list_topics() -> None:
    """Show every topic: key, who writes and who reads it, partitions and how long records are kept.

    Example:

      csm topics list
    """
    table = Table(
        Column("topic, key", overflow="fold"), "written by", "read by", "partitions", "kept", box=SIMPLE_HEAD
    )
    for topic in TOPICS:
        sides = "\n".join(topic.producers), "\n".join(topic.consumers)
        table.add_row(f"{topic.name}\n  {topic.key}", *sides, str(topic.partitions), _kept(topic))
    Console().print(table)


@topics.command("create")
def create_topics(
    kafka: Annotated[str, typer.Option(metavar="HOST:PORT", help="Where the brokers are.")],
    replication: Annotated[int, typer.Option(min=1, help="Copies of each partition.")] = 1,
) -> None:
    """Make the topics that are missing, with their dead-letter topics. Running it again changes nothing.

    Security settings are read from the environment as the services read them,
    e.g. CSM_KAFKA__SASL_USERNAME.

    Example:

      csm topics create --kafka localhost:9092 --replication 3
    """
    # Here, for it brings a Kafka client and SQLAlchemy: half a second that no other command pays.
    from csm_common.kafka.admin import ensure_topics

    settings = Settings(kafka=KafkaSettings(bootstrap=kafka, replication=replication))
    asyncio.run(ensure_topics(settings.kafka))
    typer.echo(f"{kafka} has {', '.join(topic.name for topic in TOPICS)} and their dead-letter topics.")


def _kept(topic: Topic) -> str:
    return f"{topic.retention_ms // DAY_MS} days" if topic.retention_ms else "compacted"
