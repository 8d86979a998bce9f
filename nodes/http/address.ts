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
      hint: `Set ${of.setting} to host:port, for example 127.0.0.1:7700.`,
    });
  }
  return { host: bracketed ?? plain ?? "", port };
}

export function formatAddress({ host, port }: Address): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
