import { HeadwaterError } from "./error.ts";

/** What a failure to listen means to whoever chose the address by that setting. */
export function listenError(of: {
  address: string;
  setting: string;
  cause: unknown;
}): HeadwaterError {
  const { address, setting, cause } = of;
  const here = `Set ${setting} to an address of this machine, for example 127.0.0.1:7700.`;
  switch (cause instanceof Error && "code" in cause ? cause.code : "") {
    case "EADDRINUSE":
      return new HeadwaterError({
        kind: "busy",
        message: `${address} is in use by another program`,
        hint: `Stop that program, or set ${setting} to another port.`,
        cause,
      });
    case "EACCES":
      return new HeadwaterError({
        kind: "invalid",
        message: `this user may not listen on ${address}`,
        hint: `Set ${setting} to a port above 1023.`,
        cause,
      });
    case "EADDRNOTAVAIL":
      return invalid(`cannot listen on ${address}: it is no address of this machine`, here, cause);
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return invalid(`cannot listen on ${address}: there is no such host name`, here, cause);
    default: {
      const why = cause instanceof Error ? cause.message : String(cause);
      return invalid(`cannot listen on ${address}: ${why}`, here, cause);
    }
  }
}

function invalid(message: string, hint: string, cause: unknown): HeadwaterError {
  return new HeadwaterError({ kind: "invalid", message, hint, cause });
}
