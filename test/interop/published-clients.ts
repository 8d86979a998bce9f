import { FlagdProvider } from "@openfeature/flagd-provider";
import { FlagdWebProvider } from "@openfeature/flagd-web-provider";
import { OFREPProvider } from "@openfeature/ofrep-provider";
import { OFREPWebProvider } from "@openfeature/ofrep-web-provider";
import { OpenFeature, type Provider } from "@openfeature/server-sdk";
import { OpenFeature as WebOpenFeature, type Provider as WebProvider } from "@openfeature/web-sdk";
import { EventSource } from "eventsource";

/** An OpenFeature client as an app has it, with a provider from the registry and nothing of ours. */
export interface PublishedClient {
  readonly name: string;
  /** Clients of pages have one context for all that they ask; the others take any instance. */
  readonly instance: string | undefined;
  readonly isOn: (flag: string, instance: string) => Promise<boolean>;
}

const silent = { error: ignore, warn: ignore, info: ignore, debug: ignore };

function ignore(): void {}

/** Every published provider for JavaScript that flagd or OFREP has, connected to a node. */
export async function connectAll(apps: string, pageInstance: string): Promise<PublishedClient[]> {
  const flagd = flagdOptions(apps);
  const { host, port } = flagd;
  const clients = await Promise.all([
    server("flagd rpc", new FlagdProvider({ ...flagd, resolverType: "rpc" }, silent)),
    server("flagd in-process", new FlagdProvider({ ...flagd, resolverType: "in-process" }, silent)),
    server("ofrep", new OFREPProvider({ baseUrl: `http://${apps}` })),
  ]);
  // What every browser has, and Node has not.
  Object.assign(globalThis, { EventSource });
  await WebOpenFeature.setContext({ targetingKey: pageInstance });
  const web = { host, port, tls: false, maxRetries: 0, maxDelay: 500 };
  const ofrep = { baseUrl: `http://${apps}`, cacheMode: "disabled" } as const;
  const pages = await Promise.all([
    page("flagd web", new FlagdWebProvider(web, silent), pageInstance),
    // Its types are not made for exact optional properties.
    page("ofrep web", new OFREPWebProvider(ofrep, silent) as WebProvider, pageInstance),
  ]);
  return [...clients, ...pages];
}

/** A remote client of flagd that names what it means when it asks; its stream of events does not. */
export function connectRpc(apps: string, selector: string): Promise<PublishedClient> {
  const options = { ...flagdOptions(apps), resolverType: "rpc", selector } as const;
  return server("flagd rpc of one project", new FlagdProvider(options, silent));
}

function flagdOptions(apps: string) {
  const { hostname: host, port } = new URL(`http://${apps}`);
  // The published delays are 12 s after an error; a test need not wait that long.
  const delays = { retryBackoffMs: 100, retryBackoffMaxMs: 300 };
  return { host, port: Number(port), tls: false, ...delays };
}

export async function closeAll(): Promise<void> {
  await OpenFeature.close();
  await WebOpenFeature.close();
}

async function server(name: string, provider: Provider): Promise<PublishedClient> {
  await OpenFeature.setProviderAndWait(name, provider);
  const client = OpenFeature.getClient(name);
  const isOn = (flag: string, targetingKey: string): Promise<boolean> =>
    client.getBooleanValue(flag, false, { targetingKey });
  return { name, instance: undefined, isOn };
}

async function page(
  name: string,
  provider: WebProvider,
  instance: string,
): Promise<PublishedClient> {
  await WebOpenFeature.setProviderAndWait(name, provider);
  const client = WebOpenFeature.getClient(name);
  return { name, instance, isOn: async (flag) => client.getBooleanValue(flag, false) };
}
