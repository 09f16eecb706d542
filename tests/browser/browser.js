// A real Chromium without a window, and the pages in it. Whatever a page asks of the network, writes to its console or is
// refused by its policy is kept, and must be nothing.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after } from "node:test";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"];

// Chromium's own sandbox refuses to work for root.
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, chromiumSandbox: process.getuid() !== 0 });
after(() => browser.close());

/** Opens a file as somebody would who has no network; `options` are those of the context. */
export const open = async (path, options = {}) => {
  const url = pathToFileURL(path).href;
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: "reduce", ...options });
  await context.setOffline(true);
  await context.addInitScript(() => {
    globalThis.refused = [];
    addEventListener("securitypolicyviolation", (event) => globalThis.refused.push(`${event.violatedDirective} ${event.blockedURI}`));
  });
  const page = await context.newPage();
  const seen = [];
  page.on("request", (request) => request.url() === url || seen.push(`asked for ${request.url()}`));
  page.on("console", (message) => seen.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => seen.push(`error: ${error.message}`));
  page.on("dialog", (dialog) => {
    seen.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  await page.goto(url);
  return {
    page,
    /** Closes the page, on which nothing may have happened that should not. */
    close: async () => {
      const refused = options.javaScriptEnabled === false ? [] : await page.evaluate(() => globalThis.refused);
      await context.close();
      assert.deepEqual([...seen, ...refused], []);
    },
  };
};

/** What axe-core finds on the page by WCAG 2.2 AA and its own best practice, in lines that say where. */
export const faults = async (page) => {
  await page.evaluate(axe);
  const { violations, passes } = await page.evaluate((values) => globalThis.axe.run({ runOnly: { type: "tag", values } }), LEVELS);
  assert.ok(passes.length > 20, "axe-core has looked at the page");
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target} ${failureSummary}`));
};

/** How much wider the page is than what is seen of it. */
export const overhang = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
