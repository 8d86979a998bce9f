// Many connections, each with one call of gRPC that streams: counts the messages that they hear.
import { connect } from "node:http2";
import { Arrivals } from "../arrivals.ts";
import { DueCount } from "../due-count.ts";
import { GrpcMessages, grpcMessage } from "../grpc-messages.ts";
import { serveVerbs } from "../worker.ts";
import { flagdNumber } from "./flagd-flags.ts";

interface Dial {
  /** `host:port`. */
  readonly address: string;
  readonly count: number;
  /** `/package.Service/Method`. */
  readonly path: string;
  /** The one message that each says, base64. */
  readonly hello: string;
  /** Whether more may be said: etcd takes the end of that for the end of all. */
  readonly isOpen: boolean;
}

/** The first message of each is no change. */
const changes = new DueCount();
const arrivals = new Arrivals();

serveVerbs({
  dial: async (of: Dial): Promise<void> => {
    for (let n = 0; n < of.count; n++) {
      await dial(of, () => changes.add(1));
      changes.add(-1);
    }
  },
  hear: ({ dueCount }: { dueCount: number }): Promise<number> => changes.hear(dueCount),
  /** One that notes when it heard of each number that the flags of flagd have had. */
  follow: (of: Dial): Promise<void> =>
    dial(of, (message) => arrivals.add(flagdNumber(message) ?? 0)),
  at: (of: { number: number }): number | undefined => arrivals.at(of),
});

/** Resolves with the first message. */
function dial(of: Dial, onMessage: (message: Buffer) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const session = connect(`http://${of.address}`);
    session.once("error", reject);
    const stream = session.request({
      ":method": "POST",
      ":path": of.path,
      "content-type": "application/grpc+proto",
      te: "trailers",
    });
    const cut = new GrpcMessages();
    stream.once("error", reject).on("data", (chunk: Buffer) => {
      for (const message of cut.take(chunk)) {
        resolve();
        onMessage(message);
      }
    });
    stream.write(grpcMessage(Buffer.from(of.hello, "base64")));
    if (!of.isOpen) stream.end();
  });
}
