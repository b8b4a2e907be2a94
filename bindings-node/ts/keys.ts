/**
 * The server's secrets: what seals the states that clients carry for it, so that every worker can open them. The first
 * one seals, all of them open. To change it, put the new one in front, and take the old one out when what it sealed has
 * expired.
 */

import { randomBytes } from "node:crypto";
import { RegistrationError } from "./errors.js";
import { Keys, NONCE_BYTES } from "./native.js";

/** Keys made when they are first needed. Without secrets: a random one, of this process alone. */
export class KeyRing {
  #keys: Keys | undefined;
  readonly #warn: (message: string) => void;

  /**
   * @param secrets Each at least 16 bytes long.
   * @param warn Told when a secret is made up.
   * @throws RegistrationError One is too short, or the list is empty.
   */
  constructor(secrets: readonly (string | Uint8Array)[] | undefined, warn: (message: string) => void) {
    this.#warn = warn;
    if (secrets === undefined) return;
    if (!Array.isArray(secrets)) throw new RegistrationError("secrets: an array is needed, not one secret");
    try {
      this.#keys = new Keys(secrets.map((one: string | Uint8Array) => Buffer.from(one as string)));
    } catch (wrong) {
      throw new RegistrationError(`secrets: ${(wrong as Error).message}`, { cause: wrong });
    }
  }

  /** The keys. */
  get(): Keys {
    if (this.#keys === undefined) {
      this.#warn(
        "no secrets are set (new Server(info, {secrets: [...]})): what this process seals is of no use to another one, " +
          `so that retries must reach this very process (${process.pid})`,
      );
      this.#keys = new Keys([randomBytes(32)]);
    }
    return this.#keys;
  }
}

/** As many random bytes as a seal needs. */
export function nonce(): Buffer {
  return randomBytes(NONCE_BYTES);
}

/** A text nobody can guess, of so many random bytes. */
export function token(bytes = 24): string {
  return randomBytes(bytes).toString("base64url");
}
