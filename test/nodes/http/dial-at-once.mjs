// Dials so many times at once and prints how many are connected: when all are, or after ten seconds.
import { connect } from "node:net";

const [address, count] = process.argv.slice(2);
const at = address.lastIndexOf(":");
const sockets = [];
let connectedCount = 0;
const say = () => {
  clearTimeout(late);
  for (const socket of sockets) socket.destroy();
  process.stdout.write(`${connectedCount}`);
};
const late = setTimeout(say, 10_000);
for (let n = 0; n < Number(count); n++) {
  const socket = connect({ host: address.slice(0, at), port: Number(address.slice(at + 1)) });
  sockets.push(socket);
  socket.on("error", () => undefined);
  socket.once("connect", () => {
    if (++connectedCount === Number(count)) say();
  });
}
