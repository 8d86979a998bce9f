import { nodeOptions } from "./node-options.ts";
import { type Options, pathValue, textValue, urlValue } from "./option.ts";

/** What the commands of an operator are told. */
export interface OperatorSettings {
  readonly adminUrl: string;
  readonly adminToken: string | undefined;
  readonly ledgerKeyFile: string | undefined;
}

export const operatorOptions: Options<OperatorSettings> = {
  adminUrl: {
    variable: "HEADWATER_ADMIN_URL",
    value: "URL",
    sentence: "the node that commands speak to",
    default: "http://127.0.0.1:7702",
    example: "https://admin.example.org:7702",
    schema: urlValue(["http", "https"]),
  },
  adminToken: {
    variable: "HEADWATER_ADMIN_TOKEN",
    value: "TOKEN",
    sentence: "the bearer token of its admin port",
    otherwise: `the local node's token file, $${nodeOptions.dataDir.variable}/admin.token`,
    example: "…",
    schema: textValue,
  },
  ledgerKeyFile: {
    variable: "HEADWATER_LEDGER_KEY_FILE",
    value: "FILE",
    sentence: "the secret key that signs changes, for a project whose node only beats",
    otherwise: "the node signs",
    example: "/run/secrets/horizon.ledger.key",
    schema: pathValue,
  },
};
