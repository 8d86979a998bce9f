import { quoted } from "../../relay/quoted.ts";

/** Where a process listens. Port 0 lets the operating system choose one. */
export interface Address {
  /** Without the brackets of an IPv6 address. */
  readonly host: string;
  readonly port: number;
}

/** Why a text is no address, as a sentence that says what to write instead. */
export interface AddressProblem {
  readonly problem: string;
}

/** Reads `host:port`; an IPv6 address stands in brackets, as in `[::1]:7700`. */
export function parseAddress(text: string): Address | AddressProblem {
  const match = ADDRESS_PATTERN.exec(text);
  if (match === null) return { problem: `${quoted(text)} is no address: ${mend(text)}` };
  const [, bracketed, plain = "", digits = ""] = match;
  const port = Number(digits);
  if (port > PORT_MAX) return { problem: `port ${digits} is too high: write 0 to ${PORT_MAX}` };
  return { host: bracketed ?? plain, port };
}

/** `host:port`, as `parseAddress` reads it. */
export function formatAddress({ host, port }: Address): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether a listener there takes connections on every interface of the machine. */
export function isEveryInterface({ host }: Address): boolean {
  return host === "0.0.0.0" || host === "::";
}

/** Whether only this machine reaches a listener there; a name that is not `localhost` may mean any. */
export function isLoopbackAddress(text: string): boolean {
  const address = parseAddress(text);
  if ("problem" in address) return false;
  const { host } = address;
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

const ADDRESS_PATTERN = /^(?:\[([0-9A-Fa-f:.]+(?:%[\w.-]+)?)\]|([A-Za-z0-9_.-]+)):(\d{1,5})$/;

/** Ports are 16 bits. */
const PORT_MAX = 65_535;

function mend(text: string): string {
  if (/^:?\d+$/.test(text)) return `write 127.0.0.1:${text.replace(":", "")}`;
  if (/^\w+:\/\//.test(text)) return "write host:port, without a scheme or a path";
  if (/^[0-9A-Fa-f:]+:\d+$/.test(text))
    return "write an IPv6 address in brackets, such as [::1]:7700";
  return "write host:port, such as 127.0.0.1:7700";
}
