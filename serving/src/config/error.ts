/**
 * The server cannot run as it was asked to: a setting, or a file that one names, cannot be used. The message names the
 * setting, its value and what it takes.
 */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
}
