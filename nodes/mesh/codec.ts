import {
  type DescMessage,
  type DescMethod,
  type DescService,
  fromBinary,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import type { ServiceDefinition } from "@grpc/grpc-js";

/** A message, or its encoding: a frame is encoded once and goes to every child as it is. */
type Encodable<D extends DescMessage> = MessageShape<D> | Uint8Array;

/** One rpc as grpc-js wants it. */
export interface MethodCodec<I extends DescMessage, O extends DescMessage> {
  path: string;
  requestStream: boolean;
  responseStream: boolean;
  requestSerialize: (request: Encodable<I>) => Buffer;
  requestDeserialize: (bytes: Buffer) => MessageShape<I>;
  responseSerialize: (response: Encodable<O>) => Buffer;
  responseDeserialize: (bytes: Buffer) => MessageShape<O>;
}

/** For `Server.addService`, with handlers named as in the generated service. */
export function serviceDefinition(service: DescService): ServiceDefinition {
  return Object.fromEntries(
    service.methods.map((method) => [method.localName, methodCodec(method)]),
  );
}

/** For the generic requests of `Client`. */
export function methodCodec<I extends DescMessage, O extends DescMessage>(
  method: DescMethod & { readonly input: I; readonly output: O },
): MethodCodec<I, O> {
  const { methodKind, input, output } = method;
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    requestStream: methodKind === "client_streaming" || methodKind === "bidi_streaming",
    responseStream: methodKind === "server_streaming" || methodKind === "bidi_streaming",
    requestSerialize: encoder(input),
    // A field that nobody knows takes two bytes of a request, and eighty times that in memory.
    requestDeserialize: decoder(input, { readUnknownFields: false }),
    responseSerialize: encoder(output),
    responseDeserialize: decoder(output),
  };
}

function encoder<D extends DescMessage>(schema: D): (value: Encodable<D>) => Buffer {
  return (value) => bufferOver(value instanceof Uint8Array ? value : toBinary(schema, value));
}

/** Fields of bytes are views of what is decoded: over a Buffer they would be Buffers too. */
function decoder<D extends DescMessage>(
  schema: D,
  options?: Parameters<typeof fromBinary>[2],
): (bytes: Buffer) => MessageShape<D> {
  return ({ buffer, byteOffset, byteLength }) =>
    fromBinary(schema, new Uint8Array(buffer, byteOffset, byteLength), options);
}

function bufferOver({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
