import { quoted } from "../../relay/quoted.ts";
import { HeadwaterError } from "../error.ts";

export interface Address {
  /** Empty: every interface. */
  readonly host: string;
  readonly port: number;
}

const portMax = 65_535;

/**
 * Reads `host:port`, `[IPv6]:port` or `:port`; port 0 is any that is free.
 * @throws HeadwaterError of kind `invalid`, its hint naming the setting
 */
export function parseAddress(of: { address: string; setting: string }): Address {
  const [, bracketed, plain, digits] = /^(?:\[(.+)\]|([^:[\]]*)):(\d{1,5})$/.exec(of.address) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > portMax) {
    throw new HeadwaterError({
      kind: "invalid",
      message: `${quoted(of.address)} is not an address to listen on`,
      hint: `set ${of.setting} to host:port, for example 127.0.0.1:7700`,
    });
  }
  return { host: bracketed ?? plain ?? "", port };
}

export function formatAddress({ host, port }: Address): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** What a failure to listen means to whoever chose the address. */
export function listenError(of: {
  address: string;
  setting: string;
  cause: NodeJS.ErrnoException;
}): HeadwaterError {
  const { address, setting, cause } = of;
  if (cause.code === "EADDRINUSE") {
    return new HeadwaterError({
      kind: "busy",
      message: `${address} is in use by another program`,
      hint: `stop that program, or set ${setting} to another port`,
      cause,
    });
  }
  if (cause.code === "EACCES") {
    return new HeadwaterError({
      kind: "invalid",
      message: `this user may not listen on ${address}`,
      hint: `set ${setting} to a port above 1023`,
      cause,
    });
  }
  return new HeadwaterError({
    kind: "invalid",
    message: `cannot listen on ${address}: ${cause.message}`,
    hint: `set ${setting} to an address of this machine, for example 127.0.0.1:7700`,
    cause,
  });
}
