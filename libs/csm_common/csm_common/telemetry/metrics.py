"""Every metric's name and attributes in one place; OpenTelemetry's messaging and HTTP conventions first, ours under `csm.`.

On `/metrics` Prometheus shows them with dots as underscores and its usual suffixes, e.g. `csm_consumer_records_total`.
What is recorded for every request goes to Prometheus directly, under the names it would have got: OpenTelemetry's SDK takes
ten times as long for it, together a quarter of the time of a whole request.
"""

import prometheus_client
from opentelemetry import metrics

_meter = metrics.get_meter("csm")
_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

http_duration = prometheus_client.Histogram(
    "http_server_request_duration_seconds",
    "Requests by http.request.method, http.route, http.response.status_code.",
    ("http_request_method", "http_route", "http_response_status_code"),
    buckets=_SECONDS,
)
events_accepted = prometheus_client.Counter(
    "csm_ingest_events_accepted", "Events acknowledged by the brokers."
)
events_rejected = _meter.create_counter("csm.ingest.events.rejected", description="Events refused, by code.")
messages_settled = _meter.create_counter(
    "csm.ingest.messages", description="Messages by outcome: accepted, duplicate, held, rejected."
)
rejections_open = _meter.create_gauge(
    "csm.ingest.rejections.open",
    description="Rejections listed and not replayed, by code; the same in every replica.",
)

records_consumed = _meter.create_counter(
    "csm.consumer.records", description="Records whose effects are committed, by consumer and topic."
)
batch_duration = _meter.create_histogram(
    "csm.consumer.batch.duration",
    unit="s",
    description="From fetch to commit, by consumer.",
    explicit_bucket_boundaries_advisory=_SECONDS,
)
consumer_retries = _meter.create_counter(
    "csm.consumer.retries", description="Batches put back after a failure, by consumer and error code."
)
consumer_fenced = _meter.create_counter(
    "csm.consumer.fenced", description="Batches dropped because another owner took the partition over."
)
consumer_gaps = _meter.create_counter(
    "csm.consumer.gaps", description="Offset gaps that were confirmed as legal."
)
dead_letters = _meter.create_counter(
    "csm.consumer.dead_letters", description="Dead letters, by consumer, topic and code."
)
partitions_halted = _meter.create_up_down_counter(
    "csm.consumer.partitions.halted",
    description="Partitions stopped by the dead-letter limit; an operator must look.",
)

outbox_published = _meter.create_counter(
    "csm.outbox.published", description="Outbox rows acknowledged, by topic."
)
outbox_age = _meter.create_gauge(
    "csm.outbox.age", unit="s", description="Age of the oldest unpublished row, 0 when empty."
)
poller_failures = _meter.create_counter(
    "csm.poller.failures", description="Rounds of a poller that failed, by poller."
)

erasures = _meter.create_counter(
    "csm.erasures", description="Erasures carried out, by service and kind (account, contact)."
)
events_folded = _meter.create_counter(
    "csm.health.events.folded", description="Facts folded into account states."
)
events_repeated = _meter.create_counter(
    "csm.health.events.repeated", description="Facts seen before, by id; no effect."
)
crossings_announced = _meter.create_counter(
    "csm.health.crossings", description="Crossings, by threshold and direction."
)
timer_lateness = _meter.create_histogram(
    "csm.health.timer.lateness",
    unit="s",
    description="From the instant a timer was due to its evaluation.",
    explicit_bucket_boundaries_advisory=_SECONDS,
)
silent_sources = _meter.create_gauge(
    "csm.health.sources.silent",
    description="Types of facts that the whole fleet lacks, whose measures stand still.",
)
runs_started = _meter.create_counter("csm.playbooks.runs.started", description="Runs started, by playbook.")
runs_ended = _meter.create_counter(
    "csm.playbooks.runs.ended", description="Runs ended, by playbook and outcome."
)
playbooks_paused = _meter.create_counter(
    "csm.playbooks.paused.themselves",
    description="Playbooks that paused themselves: more starts in an hour than their limit.",
)
projection_age = _meter.create_gauge(
    "csm.playbooks.projection.age",
    unit="s",
    description="How old playbooks' news of the accounts can be, of the partition that is furthest behind.",
)
run_lateness = _meter.create_histogram(
    "csm.playbooks.run.lateness",
    unit="s",
    description="From the instant a wait was to end to the commit that ends it.",
    explicit_bucket_boundaries_advisory=_SECONDS,
)
notifications_sent = _meter.create_counter(
    "csm.notifier.attempts", description="Attempts, by channel and outcome."
)
notifications_due_age = _meter.create_gauge(
    "csm.notifier.due.age",
    unit="s",
    description="For how long the notification has been due that is due for longest, 0 where none is; the same in every replica.",
)
notifications_died = _meter.create_gauge(
    "csm.notifier.dead_letters",
    description="Dead letters of the last hour, by channel and code; the same in every replica.",
)
endpoints_resting = _meter.create_gauge(
    "csm.notifier.endpoint.resting",
    description="1 while this process leaves the endpoint alone: it is out of order, or asked for a pause.",
)
inbound_mails = _meter.create_counter(
    "csm.notifier.inbound.mails", description="Mails that came back, by what they were taken for."
)
feed_dropped = _meter.create_counter(
    "csm.notifier.feed.dropped",
    description="Deliveries of the health change feed dropped, as too many waited.",
)
feed_given_up = _meter.create_gauge(
    "csm.notifier.feed.given_up",
    description="Subscriptions that were disabled because their endpoints fail; the same in every replica.",
)
