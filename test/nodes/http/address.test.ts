import { describe, expect, test } from "vitest";
import { HeadwaterError } from "../../../nodes/error.ts";
import { listenError } from "../../../nodes/listen-error.ts";
import { openLocal } from "./local-listener.ts";

describe("an address that cannot be had", () => {
  const failure = async (address: string): Promise<HeadwaterError> => {
    const error = await openLocal({ address }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(HeadwaterError);
    return error as HeadwaterError;
  };

  test("is busy when another listens there", async () => {
    const { address } = await openLocal();
    const { kind, message, hint } = await failure(address);
    expect({ kind, message, hint }).toEqual({
      kind: "busy",
      message: `${address} is in use by another program`,
      hint: "Stop that program, or set HEADWATER_APPS_ADDR to another port.",
    });
  });

  test.each(["7700", "127.0.0.1", "127.0.0.1:70000", "::1:7700", "http://127.0.0.1:7700", ""])(
    "is invalid when it is none: %j",
    async (address) => {
      const { kind, hint } = await failure(address);
      expect(kind).toBe("invalid");
      expect(hint).toContain("HEADWATER_APPS_ADDR");
    },
  );

  test("is invalid when it is not of this machine", async () => {
    // TEST-NET-1 of RFC 5737 is nobody's.
    const { kind, message, hint } = await failure("192.0.2.1:0");
    expect(kind).toBe("invalid");
    expect(message).toBe("cannot listen on 192.0.2.1:0: it is no address of this machine");
    expect(hint).toContain("HEADWATER_APPS_ADDR");
  });

  test("is invalid when this user may not have it", () => {
    const cause = Object.assign(new Error("listen EACCES"), { code: "EACCES" });
    const error = listenError({ address: "127.0.0.1:80", setting: "HEADWATER_ADMIN_ADDR", cause });
    expect(error.kind).toBe("invalid");
    expect(error.hint).toBe("Set HEADWATER_ADMIN_ADDR to a port above 1023.");
  });

  test("is invalid when the certificate does not work", async () => {
    const tls = { cert: "no certificate", key: "no key" };
    await expect(openLocal({ tls })).rejects.toMatchObject({
      kind: "invalid",
      hint: expect.stringContaining("HEADWATER_TLS_CERT_FILE") as string,
    });
  });
});
