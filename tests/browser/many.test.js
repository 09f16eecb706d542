// A report of 100,000 images: the first page is there, and searching and paging work.

import assert from "node:assert/strict";
import { test } from "node:test";
import { faults, open } from "./browser.js";
import { Journal, csv, id } from "./journals.js";

const COUNT = 100_000;
const journal = new Journal();
journal.write("big.csv", csv(Array.from({ length: COUNT }, (_, number) => `Image ${number}: people, boats and a dog on a quay in the rain`)));
journal.send("big.csv", [], "--max-items", "0");
const report = journal.report("big.html");

test("a report of 100,000 images is opened, searched and paged", async (context) => {
  const began = performance.now();
  const { page, close } = await open(report);
  const says = (words) => page.locator("#count", { hasText: words }).waitFor();
  await says("100,000 images in all. Shown are 1 to 50.");
  const opened = performance.now();
  assert.equal(await page.locator("#rows tr").count(), 50);
  await page.locator("#text").fill("image 99999:");
  await says("1 image that matches, of 100,000");
  const searched = performance.now();
  assert.match(await page.locator("#rows tr").textContent(), new RegExp(id(COUNT - 1)));
  await page.locator("#clear").click();
  await says("100,000 images in all");
  await page.locator("#last").click();
  await says("Shown are 99,951 to 100,000");
  assert.deepEqual(await faults(page), []);
  await close();
  context.diagnostic(`opened in ${Math.round(opened - began)} ms, searched in ${Math.round(searched - opened)} ms`);
});
