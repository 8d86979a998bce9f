from openfeature import api
from openfeature.contrib.hook.opentelemetry import TracingHook
from openfeature.contrib.provider.flagd import FlagdProvider
from openfeature.evaluation_context import EvaluationContext
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

# Which app this is comes from OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES, where to report from
# OTEL_EXPORTER_OTLP_ENDPOINT.
tracers = TracerProvider()
tracers.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(tracers)
api.add_hooks([TracingHook()])
api.set_provider_and_wait(FlagdProvider())

with trace.get_tracer("app").start_as_current_span("work"):
    context = EvaluationContext("i-1")
    on = api.get_client().get_boolean_value("new-scheduler", False, context)
    print(f"new-scheduler is {'on' if on else 'off'}", flush=True)
tracers.shutdown()
api.shutdown()
