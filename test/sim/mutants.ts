/** A deliberate mistake in the core: one text of one file, which occurs there once, for another. */
export interface Mutant {
  readonly name: string;
  /** Below `relay/`. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

const mutant = (name: string, file: string, find: string, replace: string): Mutant => ({
  name,
  file,
  find,
  replace,
});

/** Each has to be caught by the simulator: what is not is a promise that nobody looks at. */
export const mutants: readonly Mutant[] = [
  mutant(
    "skip the digest check",
    "ledger/ledger.ts",
    "if (!bytesEqual(head.position.digest, staged.set.digest))",
    "if (head.position.digest.length === 0)",
  ),
  mutant(
    "take a head that nobody has signed",
    "ledger/head.ts",
    "if (!isSealedBy({ envelope, type: payloadType.head, keys: [key], threshold: 1 }))",
    "if (envelope.signatures.length === 0)",
  ),
  mutant(
    "take an older position for a newer one",
    "ledger/delta.ts",
    'if (order < 0) return done("older");',
    'if (order < 0) return done("newer");',
  ),

  mutant(
    "compare sequences without their terms",
    "ledger/position.ts",
    "return a.term - b.term || a.seq - b.seq;",
    "return a.seq - b.seq;",
  ),
  mutant(
    "forget a tombstone",
    "ledger/delta.ts",
    "if (held === undefined) tombstones.push(key);",
    "if (held === undefined) continue;",
  ),
  mutant(
    "leave the last key of a history step out",
    "ledger/history.ts",
    "this.#steps.slice(from).flatMap((step) => step.keys)",
    "this.#steps.slice(from).flatMap((step) => step.keys.slice(0, 2))",
  ),
  mutant(
    "keep what a snapshot does not name",
    "ledger/ledger.ts",
    "const tombstones = [...this.#entries.keys()].filter((key) => !wanted.has(key));",
    "const tombstones: string[] = [...wanted].filter((key) => key === '');",
  ),
  mutant(
    "keep deleted entries in memory",
    "ledger/ledger.ts",
    "for (const key of change.staged.deletes) this.#entries.delete(key);",
    "",
  ),
  mutant(
    "keep deleted entries on disk",
    "durable.ts",
    "...staged.deletes.map((key) => entry(key, undefined)),",
    "",
  ),
  mutant(
    "forget to store the head",
    "durable.ts",
    'put("head", ledger.id, toBinary(EnvelopeSchema, head.envelope)),',
    "",
  ),
  mutant(
    "forget to store the trust",
    "arrival.ts",
    "writes: [trustWrite(ledger, trusted)],",
    "writes: [],",
  ),
  mutant(
    "show a change before it is durable",
    "arrival.ts",
    "  const { term } = change.head.position;\n",
    "  const { term } = change.head.position;\n  parts.holdings.accept(ledger, change, at.wallMs);\n",
  ),
  mutant(
    "accept what could not be stored",
    "node.ts",
    'if (event.kind === "persisted") return [...staged.accept()];',
    "if (event.kind) return [...staged.accept()];",
  ),

  mutant(
    "take a beat for what has not come",
    "link/downlink.ts",
    "if (sent.position === undefined || !samePosition(sent.position, position)) return [];",
    "",
  ),

  mutant(
    "tell no child of a change",
    "advance.ts",
    "  const exposures = parts.holdings.accept(ledger, change, at.wallMs);\n  const effects = parts.downlinks.pumpAll(at.monoMs);",
    "  const exposures = parts.holdings.accept(ledger, change, at.wallMs);\n  const effects: Effect[] = [];",
  ),
  mutant(
    "tell apps nothing of a change",
    "advance.ts",
    '  effects.push(...exposures.map((exposure): Effect => ({ kind: "expose", exposure })));\n  if (source.kind === "upstream") {',
    '  if (source.kind === "upstream") {',
  ),

  mutant(
    "drop a layer from the fold",
    "layers/fold.ts",
    "return layers.overlays.flatMap(({ layer }) => ruleFor(of(layer), name) ?? []);",
    "return layers.overlays.slice(1).flatMap(({ layer }) => ruleFor(of(layer), name) ?? []);",
  ),
  mutant(
    "let a pin count without a grant",
    "layers/overlay.ts",
    "mayPin: (flag, basisPoints) =>",
    "mayPin: (flag, basisPoints) => basisPoints >= 0 ||",
  ),
  mutant(
    "let a pin go above what was granted",
    "layers/overlay.ts",
    "basisPoints <= pinBasisPointsMax &&",
    "basisPoints >= 0 &&",
  ),
  mutant(
    "let a grant never end",
    "trust/trusted.ts",
    "({ grant }) => grant.expiresMs === 0n || grant.expiresMs > BigInt(Math.floor(wallMs)),",
    "({ grant }) => grant.expiresMs >= 0n || wallMs > 0,",
  ),
  mutant(
    "keep grants of an older root",
    "trust/trusted.ts",
    "known !== undefined && known.root.version === root.version ? known.grants : [];",
    "known !== undefined ? known.grants : [];",
  ),
  mutant(
    "take the highest cap instead of the lowest",
    "layers/fold.ts",
    "const cap = Math.min(BASIS_POINTS_MAX, ...caps.map(({ effect }) => effect.basisPoints));",
    "const cap = caps.length === 0 ? BASIS_POINTS_MAX : Math.max(...caps.map(({ effect }) => effect.basisPoints)) + 100;",
  ),
  mutant(
    "let a percentage win over a kill",
    "layers/fold.ts",
    'if (scopesOfKills(layers, name).some((scope) => kills(scope, build))) return answer(0, "KILLED");',
    'if (scopesOfKills(layers, name).length > 1) return answer(0, "KILLED");',
  ),
  mutant(
    "turn on what is not understood",
    "layers/layer.ts",
    "if (flag.reader > readerVersion || flag.hash !== HASH_VERSION) return undefined;",
    "if (flag.hash !== HASH_VERSION) return undefined;",
  ),
  mutant(
    "fold only the flag that a rule for all flags does not name",
    "layers/project.ts",
    'kinds.some(({ kind, name }) => kind === "rule" && name.endsWith("/*"));',
    'kinds.some(({ kind, name }) => kind === "rule" && name.endsWith("/all"));',
  ),
  mutant(
    "say that there are no flags where nothing is known",
    "layers/project.ts",
    "    if (this.isEmpty) return undefined;\n    const build",
    "    const build",
  ),
  mutant(
    "offer what is not there",
    "link/downlink.ts",
    'if (position === undefined) return "EMPTY";',
    'if (position === undefined) return "SERVED";',
  ),
  mutant("never slow down", "link/backoff.ts", "this.#failuresCount++;", ""),
  mutant(
    "wait for a silent parent for ever",
    "link/uplink.ts",
    'if (this.#state.kind === "open") return { hangUp: "nothing heard for two heartbeats" };',
    'if (this.#state.kind === "open") return undefined;',
  ),
  mutant(
    "hand over more than a link may have on its way",
    "link/downlink.ts",
    "return this.#framesInFlight < linkFramesInFlightMax && this.#bytesInFlight < bytesMax;",
    "return this.#framesInFlight < 10 * linkFramesInFlightMax;",
  ),
  mutant(
    "give no room back",
    "link/downlink.ts",
    "this.#framesInFlight = Math.max(0, this.#framesInFlight - of.framesCount);",
    "this.#framesInFlight = Math.max(0, this.#framesInFlight - 0 * of.framesCount);",
  ),
  mutant(
    "serve two links of one node",
    "link/downlinks.ts",
    "      former === undefined\n        ? []\n",
    "      former !== undefined\n        ? []\n",
  ),
  mutant(
    "go on serving who is revoked",
    "operations.ts",
    'return downlinks.end(admissions.ended(at.wallMs), "REVOKED");',
    "return [];",
  ),

  mutant(
    "let strangers in",
    "trust/join-token.ts",
    "if (envelope === undefined) return wrong;",
    'if (envelope === undefined) return done(create(CredentialSchema, { child: "stranger" }));',
  ),

  mutant(
    "beat once and never again",
    "upkeep.ts",
    "if (ageMs >= 0 && ageMs < beatIntervalMs) return [];",
    "if (ageMs >= 0 && ledger.beat !== undefined) return [];",
  ),
  mutant(
    "call old data fresh",
    "ledger/freshness.ts",
    'return wallMs - vouchedMs > staleAfterMs ? "STALE" : "FRESH";',
    'return wallMs < vouchedMs ? "STALE" : "FRESH";',
  ),
  mutant(
    "take a document of one window twice",
    "telemetry/received.ts",
    "startOf(document) <= startOf(held.document)",
    "startOf(document) < startOf(held.document)",
  ),
  mutant(
    "count a report instead of an instance",
    "telemetry/intake.ts",
    "this.#held.set(report.instance,",
    "this.#held.set(`${report.instance} ${wallMs}`,",
  ),

  mutant(
    "let a damaged beat damage its ledger",
    "durable.ts",
    "  } catch {\n    return;\n  }",
    "  } finally {\n    ledger.beat ??= undefined;\n  }",
  ),
  mutant(
    "leave a head that was signed ahead of time as it is",
    "renewal.ts",
    "if (!isAhead || head.position.term !== writer.term) return undefined;",
    "if (!isAhead || head.position.term !== 0) return undefined;",
  ),
  mutant(
    "take a new term for a conflict",
    "succession.ts",
    "parts.holdings.takeOver(ledger, writer);",
    "",
  ),
  mutant(
    "send and answer before it is durable",
    "node.ts",
    '    this.#staged = staged;\n    return [{ kind: "persist", writes }];',
    '    const early = [...staged.accept()];\n    this.#staged = { accept: () => [], fail: (why) => staged.fail(why) };\n    return [...early, { kind: "persist", writes }];',
  ),
  mutant(
    "take no notice of a beat about a head that was lost",
    "link/inbox.ts",
    'return { ledger, why: "a beat about a head that has not come", isWrong: false };',
    "return undefined;",
  ),
  mutant(
    "build the snapshot anew for each child",
    "link/ledger-frames.ts",
    "if (newest !== undefined && this.#leadsToNow(newest)) return newest;",
    "",
  ),
  mutant(
    "accept an equal sequence as a newer one",
    "ledger/delta.ts",
    'if (order > 0) return done("newer");',
    'if (order >= 0) return done("newer");',
  ),
  mutant(
    "bar a ledger and never ask for it again",
    "link/bars.ts",
    'if (state.kind === "barred") return state.untilMonoMs;',
    'if (state.kind === "barred") return Number.POSITIVE_INFINITY;',
  ),
  mutant(
    "take a clock that is ahead for the right one",
    "ledger/head.ts",
    "if (isFromFuture(Number(head.issuedMs), wallMs))",
    "if (isFromFuture(Number(head.issuedMs), wallMs - 2 * clockSkewMsMax))",
  ),
  mutant(
    "say how a ledger came without oneself",
    "advance.ts",
    "holdings.setHops(id, [...offer.hops, settings.nodeId]);",
    "holdings.setHops(id, [...offer.hops]);",
  ),
];
