// Journals made by the program itself, against its sandbox, and the reports on them. Asserts nothing but that it ends as it should.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";

const { ALTFILL } = process.env;
assert.ok(ALTFILL, "ALTFILL must name the built program: start tests/browser/run");

/** A folder with a journal in it, which goes when the tests of its file have ended. */
export class Journal {
  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), "altfill-browser-"));
    after(() => rmSync(this.folder, { recursive: true }));
  }

  write(name, text) {
    writeFileSync(join(this.folder, name), text);
  }

  read(name) {
    return readFileSync(join(this.folder, name), "utf8");
  }

  /** Runs the program, which must end with one of these codes, and returns what it printed. */
  altfill(words, ...codes) {
    const env = { PATH: process.env.PATH, HOME: this.folder };
    const options = { cwd: this.folder, env, encoding: "utf8", maxBuffer: 1 << 28 };
    const { status, stdout, stderr, error } = spawnSync(ALTFILL, words, options);
    assert.ifError(error);
    assert.ok(codes.includes(status), `altfill ${words.join(" ")} ended with ${status}: ${stderr}`);
    return stdout;
  }

  /** Sends a manifest to the sandbox. */
  send(manifest, faults, ...words) {
    const of = faults.flatMap((fault) => ["--fault", fault]);
    const always = ["--sandbox", "--seed", "7", "--halt-after", "0", "--max-failures", "100%", "--lint", "off", "--quiet"];
    this.altfill(["run", manifest, ...always, ...of, ...words], 0, 4, 5);
  }

  status() {
    return JSON.parse(this.altfill(["status", "--sandbox", "--json"], 0));
  }

  /** Writes a report, and returns its path. */
  report(name, ...words) {
    this.altfill(["report", "--sandbox", "-o", name, ...words], 0);
    return join(this.folder, name);
  }
}

/** A media id of the form that X gives. */
export const id = (number) => String(1_146_654_567_674_912_769n + BigInt(number) * 4_194_304n);

/** A manifest of alt texts, quoted throughout. */
export const csv = (texts) => {
  const rows = texts.map((text, number) => `${id(number)},"${text.replaceAll('"', '""')}"\n`);
  return `media_id,alt_text\n${rows.join("")}`;
};
