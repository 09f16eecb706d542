// The HTML report as people meet it: by eye, by keyboard, by screen reader, narrow, dark, without scripts, and with
// whatever stands in manifests and answers.

import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { test } from "node:test";
import { faults, open, overhang } from "./browser.js";
import { Journal, csv, id } from "./journals.js";

const STRANGE = [
  `</script><script>alert("out")</script><!-- <script> {{rows}} & &lt;b&gt;`,
  `"><img src=x onerror=alert(1)> ' onfocus='alert(2)`,
  "👩‍🔬 A scientist beside a 🌋, 日本語 and e\u0301",
  "שלום עולם: חתול (2) על שטיח \u200f!",
  "Reversed \u202e by an override",
  "A line\nand another one,\ttabbed",
  "=HYPERLINK(\"https://example.com\")",
  "]]> \u2028 --> <style>body{display:none}</style>",
];
// Long enough for several pages.
const PLAIN = Array.from({ length: 232 }, (_, number) => `Picture ${number} of a harbour at dusk, with boats and gulls`);

const journal = new Journal();
journal.write("strange & <b>.csv", csv([...STRANGE, ...PLAIN]));
journal.send("strange & <b>.csv", ["not-found=8%", "forbidden=4%", "invalid=3%", "503=4%", "partial=3%"], "--max-items", "230");
journal.write("fields.csv", `media_id,sensitive_media_warning.graphic_violence,geo_restrictions.whitelisted_country_codes\n${id(900)},true,us|ca\n`);
journal.send("fields.csv", []);
journal.altfill(["dismiss", "--sandbox", "--cause", "invalid-request"], 0);
const status = journal.status();
const total = status.done + status.failed + status.pending;
const report = journal.report("report.html");

const shown = (page) => page.locator("#rows tr").count();
const count = (page) => page.locator("#count").textContent();
/** Waits until the count says so. */
const says = (page, words) => page.locator("#count", { hasText: words }).waitFor();
const row = (page, number) => page.locator("#rows tr").filter({ hasText: id(number) });

test("the journal is one that shows everything", () => {
  assert.equal(total, STRANGE.length + PLAIN.length + 1);
  assert.ok(status.pending > 0 && status.done > 0 && status.dismissed > 0 && status.failed > status.dismissed, JSON.stringify(status));
});

for (const colorScheme of ["light", "dark"]) {
  for (const width of [1280, 320]) {
    test(`it meets WCAG 2.2 AA, ${colorScheme}, ${width} pixels wide`, async () => {
      const { page, close } = await open(report, { colorScheme, viewport: { width, height: 900 } });
      assert.equal(await overhang(page), 0, "all is read without scrolling sideways");
      assert.deepEqual(await faults(page), []);
      for (const details of await page.locator("summary").all()) await details.click();
      assert.equal(await overhang(page), 0);
      assert.deepEqual(await faults(page), []);
      await page.locator("#text").fill("no image has such a text");
      await says(page, "No image matches");
      assert.deepEqual(await faults(page), []);
      await close();
    });
  }
}

test("it is readable by its owner alone, and its policy names no other place", async () => {
  assert.equal(statSync(report).mode & 0o777, 0o600);
  const { page, close } = await open(report);
  const policy = await page.locator('meta[http-equiv="Content-Security-Policy"]').getAttribute("content");
  assert.match(policy, /^default-src 'none'; style-src 'sha256-[^']+'; script-src 'sha256-[^']+'; /);
  assert.doesNotMatch(policy, /unsafe|https?:|\*/);
  await close();
});

test("its policy holds for what slips in all the same", async () => {
  const { page } = await open(report);
  await page.evaluate(() => {
    const style = document.createElement("style");
    style.textContent = "body { display: none }";
    document.head.append(style);
    const image = new Image();
    image.src = "data:image/gif;base64,R0lGODlhAQABAAAAACw=";
    document.body.append(image);
  });
  await page.waitForFunction(() => globalThis.refused.length === 2);
  assert.deepEqual(await page.evaluate(() => globalThis.refused.sort()), ["img-src data", "style-src-elem inline"]);
  assert.ok(await page.locator("main").isVisible());
  await page.context().close();
});

test("what stands in manifests is text, and nothing else", async () => {
  const { page, close } = await open(report);
  const expected = STRANGE.map((text) => text.replace("\u202e", "⟨U+202E⟩").replace("\u2028", "⟨U+2028⟩"));
  for (const [number, text] of expected.entries()) {
    assert.equal(await row(page, number).locator(".alt").evaluate((alt) => alt.textContent), text);
  }
  assert.equal(await page.locator("img, iframe, b, style:not(head style)").count(), 0);
  assert.match(await page.locator(".files").textContent(), /strange & <b>\.csv/);
  const hebrew = row(page, 3).locator(".alt");
  assert.equal(await hebrew.evaluate((alt) => getComputedStyle(alt).direction), "rtl");
  await close();
});

test("without scripts the sums and the first page are there, and the same", async () => {
  const bare = await open(report, { javaScriptEnabled: false });
  const able = await open(report);
  const [there, made] = [await bare.page.locator("#rows tr").allInnerTexts(), await able.page.locator("#rows tr").allInnerTexts()];
  assert.equal(there.length, 50);
  assert.deepEqual(there, made);
  assert.ok(await bare.page.locator(".figures").isVisible());
  assert.ok(await bare.page.locator("noscript").isVisible());
  assert.ok(!(await bare.page.locator("#filter").isVisible()));
  await bare.close();
  await able.close();
});

test("the sums are those of the status", async () => {
  const { page, close } = await open(report);
  const figure = async (name) => Number((await page.locator(`.is-${name} .number`).textContent()).replaceAll(",", ""));
  assert.equal(await figure("asked"), total);
  assert.equal(await figure("done"), status.done);
  assert.equal(await figure("failed"), status.failed);
  assert.equal(await figure("left"), status.pending);
  for (const [cause, failed] of Object.entries(status.failures)) {
    const of = page.locator(".causes tbody tr").filter({ hasText: cause });
    assert.equal(Number.parseInt(await of.locator("td.n").textContent(), 10), failed, cause);
    assert.ok((await of.locator(".what").textContent()).length > 20, cause);
  }
  // The charts' tables tell each request once.
  const cells = await page.locator("figure").first().locator("tbody td").allTextContents();
  const requests = cells.reduce((sum, cell) => sum + Number(cell.replaceAll(",", "")), 0);
  assert.equal(requests, await figure("sent"));
  const used = await page.locator("figure").nth(1).locator("desc").textContent();
  assert.match(used, new RegExp(`limit is 500 requests in 15 minutes.*the last 15 minutes hold ${requests}\\.`));
  const byMonth = journal.altfill(["report", "--sandbox", "--by", "account,month"], 0).trim().split("\n");
  assert.equal(byMonth[0], "account,month,requests,dollars,done,failed");
  const sums = byMonth.slice(1).map((line) => line.split(",").map(Number));
  assert.equal(sums.reduce((sum, line) => sum + line[2], 0), requests);
  assert.equal(sums.reduce((sum, line) => sum + line[4], 0), status.done);
  assert.equal(sums.reduce((sum, line) => sum + line[5], 0), status.failed);
  await close();
});

test("images are searched and filtered, and the count is announced", async () => {
  const { page, close } = await open(report);
  assert.equal(await page.locator("#count").getAttribute("aria-live"), "polite");
  await page.locator("#text").fill("  HARBOUR   picture 17 ");
  await says(page, "that match");
  const rows = await page.locator("#rows tr").allTextContents();
  assert.ok(rows.length > 0 && rows.every((text) => text.includes("17") && text.includes("Picture")), rows.join("\n"));
  await page.locator("#text").fill(id(5));
  await says(page, `1 image that matches, of ${total}`);
  assert.equal(await shown(page), 1);
  await page.locator("#text").fill("é and nothing");
  await says(page, "No image matches");
  await page.locator("#text").fill("é");
  await says(page, "1 image that matches");

  await page.locator("#clear").click();
  await says(page, `${total} images in all`);
  assert.equal(await page.locator("#text").inputValue(), "");
  await page.locator("#state").selectOption({ label: `pending (${status.pending})` });
  await says(page, `${status.pending} images that match, of ${total}`);
  assert.deepEqual([...new Set(await page.locator("#rows .state").allTextContents())], ["pending"]);
  await page.locator("#state").selectOption({ label: `failed, known (${status.dismissed})` });
  await page.locator("#cause").selectOption("invalid-request");
  await says(page, `${status.dismissed} images that match`);
  await page.locator("#clear").click();
  await page.locator("#state").selectOption({ label: `failed (${status.failed})` });
  await says(page, `${status.failed} images that match`);
  await page.locator("#state").selectOption({ label: `done (${status.done})` });
  await says(page, `${status.done} images that match`);
  const warned = await page.locator("#state option").filter({ hasText: "done, with a warning" }).textContent();
  await page.locator("#state").selectOption({ label: warned });
  await says(page, `${warned.match(/\d+/)[0]} images that match`);
  assert.match(await page.locator("#rows tr").first().textContent(), /done, with a warning.*[a-z]/);
  await page.locator("#clear").click();
  await page.locator("#text").fill("us|ca");
  await says(page, "1 image that matches");
  assert.match(await page.locator("#rows tr").textContent(), /No alt text is wanted.*geo_restrictions/);
  await close();
});

test("a cause leads to its images", async () => {
  const { page, close } = await open(report);
  const failed = status.failures["resource-not-found"];
  await page.getByRole("button", { name: "Show the images that failed with resource-not-found" }).click();
  await says(page, `${failed} images that match`);
  assert.equal(await page.evaluate(() => document.activeElement.id), "images");
  await close();
});

test("it is used by keyboard alone", async () => {
  const { page, close } = await open(report);
  const focused = () => page.evaluate(() => {
    const { activeElement: element } = document;
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    const box = element.getBoundingClientRect();
    const isSeen = box.width > 0 && box.bottom > 0 && box.top < innerHeight;
    return { name: element.id || element.className || element.textContent.trim(), outlined: outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 2, isSeen };
  });
  const walked = [];
  do {
    await page.keyboard.press("Tab");
    walked.push(await focused());
    assert.ok(walked.length < 100, "the focus is caught somewhere");
  } while (walked.at(-1).name !== "last");
  assert.deepEqual(walked.filter(({ outlined, isSeen }) => !outlined || !isSeen), []);
  const names = walked.map(({ name }) => name);
  assert.equal(names[0], "skip");
  const order = ["text", "state", "cause", "size", "clear", "first", "previous", "page", "next", "last"];
  assert.deepEqual(names.filter((name) => order.includes(name)), order);

  await page.reload();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "images");
  await page.keyboard.press("Tab");
  await page.keyboard.type("picture");
  await says(page, "that match");
  const pages = Math.ceil(PLAIN.length / 50);
  await page.locator("#next").focus();
  for (let number = 2; number <= pages; number += 1) {
    await page.keyboard.press("Enter");
    await says(page, `Shown are ${(number - 1) * 50 + 1} to`);
    assert.equal((await focused()).name, "next", "the focus stays");
  }
  assert.equal(await page.locator("#next").getAttribute("aria-disabled"), "true");
  const last = await count(page);
  await page.keyboard.press("Enter");
  assert.equal(await count(page), last);
  await page.locator("#page").fill("2");
  await page.keyboard.press("Enter");
  await says(page, "Shown are 51 to 100");
  await page.locator("#page").fill("999");
  await page.keyboard.press("Enter");
  assert.equal(await page.locator("#page").inputValue(), String(pages));
  await page.locator("#size").selectOption("100");
  await says(page, "Shown are 1 to 100");
  await close();
});

test("only images of the state that was asked for are listed, and the sums stay", async () => {
  const { page, close } = await open(journal.report("failed.html", "--state", "failed"));
  await says(page, `${status.failed} images in all`);
  assert.match(await page.locator(".images .notice").first().textContent(), /--state failed/);
  assert.equal(await page.locator(".is-asked .number").textContent(), String(total));
  await close();
});

test("a journal without images says so", async () => {
  const empty = new Journal();
  empty.write("none.csv", "media_id,alt_text\n");
  empty.send("none.csv", []);
  const { page, close } = await open(empty.report("report.html"));
  await says(page, "0 images in all");
  assert.match(await page.locator("main").textContent(), /There is no image in this journal yet/);
  assert.match(await page.locator("main").textContent(), /Nothing was sent yet/);
  assert.deepEqual(await faults(page), []);
  await close();
});
