export interface HostPort {
  /** Without the brackets of an IPv6 address; empty for every interface, to listen on. */
  readonly host: string;
  /** 0 for any that is free, to listen on. */
  readonly port: number;
}

/** Undefined for what is not `host:port`. */
export function parseAddress(address: string): HostPort | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:/@[\]]*)):(\d{1,5})$/.exec(address);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) return undefined;
  return { host: match[1] ?? match[2] ?? "", port };
}

export function formatAddress({ host, port }: HostPort): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
