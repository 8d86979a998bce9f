import { create, equals, toBinary } from "@bufbuild/protobuf";
import { JoinTokenSchema } from "../../../gen/headwater/v1/mesh_pb.ts";
import { formatToken, parseToken, signCredential } from "../../../relay/trust/join-token.ts";
import { epochMs } from "../../relay/authority.ts";
import { SteppedNode } from "../../relay/stepped-node.ts";
import { pin, siteKey } from "../honest-mesh.ts";
import { verdictOf } from "../refusals.ts";
import { Broken, type Target, textOf } from "../target.ts";

const credential = signCredential({
  child: "plant",
  id: new Uint8Array(16),
  expiresMs: epochMs * 2,
  projects: ["horizon"],
  siteKey,
});
const token = create(JoinTokenSchema, {
  site: "openstack",
  addresses: ["parent.example:7701", "[::1]:1"],
  certificate: new Uint8Array(40),
  pins: [pin],
  credential,
});

/** Tokens to join with, as words and as what is in them. */
export const tokens: Target = {
  name: "tokens",
  form: "wire",
  share: 15,
  seeds: () => [
    toBinary(JoinTokenSchema, token),
    toBinary(JoinTokenSchema, create(JoinTokenSchema, { ...token, pins: [] })),
    new TextEncoder().encode(formatToken(token)),
  ],
  open: () => {
    let joining = new SteppedNode();
    let n = 0;
    return (input) => {
      const isWord = textOf(input.subarray(0, 4)) === "hw1.";
      const word = isWord ? textOf(input) : `hw1.${Buffer.from(input).toString("base64url")}`;
      const parsed = parseToken(word);
      if (!parsed.ok) return verdictOf(parsed);
      const again = parseToken(formatToken(parsed.value));
      if (!again.ok || !equals(JoinTokenSchema, again.value, parsed.value))
        throw new Broken("another token when read again");
      if (n++ % 200 === 0) joining = new SteppedNode();
      return verdictOf(joining.ask((call) => ({ kind: "join", call, token: parsed.value })));
    };
  },
};
