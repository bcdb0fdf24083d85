"""Start and stop of OpenTelemetry in a process."""

from opentelemetry import metrics
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import AlwaysOffExemplarFilter, MeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

from csm_common.settings import TelemetrySettings
from csm_common.telemetry import tracing
from csm_common.telemetry.logs import setup_logs


def setup_telemetry(service: str, settings: TelemetrySettings) -> TracerProvider:
    """Logs, metrics (pulled at /metrics) and traces (pushed by OTLP when an endpoint is set). Once per process."""
    setup_logs(service, settings)
    resource = Resource.create({"service.name": service, "service.namespace": "csm"})
    meters = MeterProvider(
        resource=resource,
        metric_readers=[PrometheusMetricReader()],
        exemplar_filter=AlwaysOffExemplarFilter(),  # /metrics cannot show them, and they are a third of a record's cost
    )
    metrics.set_meter_provider(meters)
    provider = TracerProvider(resource=resource, sampler=ParentBased(TraceIdRatioBased(settings.trace_ratio)))
    if settings.otlp_endpoint:
        exporter = OTLPSpanExporter(endpoint=f"{settings.otlp_endpoint.rstrip('/')}/v1/traces")
        provider.add_span_processor(BatchSpanProcessor(exporter))
        # Without a collector nobody sees a span: the API's own tracer passes contexts on, at a tenth of the cost.
        tracing.start(provider)
    return provider
