import { EventHook, SpanEventHook } from "@openfeature/open-telemetry-hooks";
import { InMemoryProvider, OpenFeature } from "@openfeature/server-sdk";
import { context, trace } from "@opentelemetry/api";
import { logs } from "@opentelemetry/api-logs";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { OTLPLogExporter as JsonLogExporter } from "@opentelemetry/exporter-logs-otlp-http";
import { OTLPLogExporter } from "@opentelemetry/exporter-logs-otlp-proto";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  LoggerProvider,
  type LogRecordExporter,
  SimpleLogRecordProcessor,
} from "@opentelemetry/sdk-logs";
import { NodeTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-node";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { eventually } from "../../scripts/demo/eventually.ts";
import { NodeProcess } from "../../scripts/demo/node-process.ts";

let node: NodeProcess;

beforeAll(async () => {
  node = await NodeProcess.start("upstream");
  await node.do(["init", "horizon"]);
  const file = 'project: horizon\nflags: { wide: { percent: 100 } }\nreleases: ["2.3.0"]\n';
  await node.do(["apply", "--yes", "-f", "-"], file);
});

afterAll(() => node?.[Symbol.asyncDispose]());

afterEach(async () => {
  await OpenFeature.clearProviders();
  OpenFeature.clearHooks();
  logs.disable();
  trace.disable();
  context.disable();
});

/** What an app sets up when it uses OpenTelemetry, as its own documentation has it. */
function resourceOf(instance: string) {
  return resourceFromAttributes({
    "service.name": "horizon",
    "service.version": "2.3.0",
    "service.instance.id": instance,
  });
}

/** Asks as an app does, by OpenFeature with flags from wherever. */
async function askForWide(): Promise<void> {
  const variants = { on: true, off: false };
  const wide = { variants, defaultVariant: "on", disabled: false } as const;
  await OpenFeature.setProviderAndWait(new InMemoryProvider({ wide }));
  expect(await OpenFeature.getClient().getBooleanValue("wide", false)).toBe(true);
}

interface ShownWeight {
  readonly name: string;
  readonly count?: number;
}

/** The node's own fleet has so many instances of the release, and so many with the flag on. */
function fleetHas(countMin: number): Promise<boolean> {
  return eventually(
    `${countMin} instances are seen`,
    async () => {
      // It ends with "can not be known yet": no site below has sent a document, these are its own apps.
      const { stdout } = await node.run(["fleet", "horizon", "--json"]);
      const { weights } = JSON.parse(stdout) as {
        weights?: { releases?: ShownWeight[]; flags?: ShownWeight[] };
      };
      const countOf = (list: ShownWeight[] | undefined, name: string): number =>
        list?.find((one) => one.name === name)?.count ?? 0;
      return (
        countOf(weights?.releases, "2.3.0") >= countMin &&
        countOf(weights?.flags, "wide") >= countMin
      );
    },
    40_000,
  );
}

test.each<[string, string, (url: string) => LogRecordExporter]>([
  ["protobuf", "proto-1", (url) => new OTLPLogExporter({ url })],
  ["JSON", "json-1", (url) => new JsonLogExporter({ url })],
])("events of OpenFeature's hook arrive in %s", async (_, instance, exporterFor) => {
  const exporter = exporterFor(`http://${node.apps}/v1/logs`);
  const provider = new LoggerProvider({
    resource: resourceOf(instance),
    processors: [new SimpleLogRecordProcessor(exporter)],
  });
  logs.setGlobalLoggerProvider(provider);
  OpenFeature.addHooks(new EventHook());
  await askForWide();
  await provider.forceFlush();
  expect(await fleetHas(instance === "json-1" ? 2 : 1)).toBe(true);
  await provider.shutdown();
});

test("events of spans arrive, packed", async () => {
  const exporter = new OTLPTraceExporter({
    url: `http://${node.apps}/v1/traces`,
    compression: "gzip" as never,
  });
  const provider = new NodeTracerProvider({
    resource: resourceOf("span-1"),
    spanProcessors: [new SimpleSpanProcessor(exporter)],
  });
  provider.register({ contextManager: new AsyncLocalStorageContextManager().enable() });
  OpenFeature.addHooks(new SpanEventHook());
  await trace.getTracer("app").startActiveSpan("work", async (span) => {
    await askForWide();
    span.recordException(new Error("alice"));
    span.end();
  });
  await provider.forceFlush();
  expect(await fleetHas(3)).toBe(true);
  await provider.shutdown();
});
