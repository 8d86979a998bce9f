/**
 * The newest protocol between nodes that this software speaks; it speaks all before it, too. A
 * child says its newest, the parent answers with the newest that both speak.
 *
 * 1: the first. 2: `Confirm` may ask for ledgers to be served anew.
 */
export const protocolVersion = 2;

/** From it on a parent serves a ledger anew when it is asked to. */
export const protocolOfAgain = 2;
