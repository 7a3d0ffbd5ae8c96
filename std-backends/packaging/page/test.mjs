// The page in a real browser without a network: real sessions in, sessions of other libraries out.
//
//   node test.mjs PAGE.html OUT        with playwright-core, and Chromium in CHROMIUM or /usr/bin/chromium
//
// It leaves what it made in OUT, for others to open.
import assert from "node:assert/strict";
import { readFile, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const { chromium } = createRequire(join(process.cwd(), "x"))("playwright-core");
const [page, out] = process.argv.slice(2).map((path) => resolve(path));
const vectors = resolve(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "../../../tests/vectors/clients");
const telethon = join(vectors, "telethon-1.45.0-s01.session");

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

async function open(options = {}) {
  const context = await browser.newContext({ offline: true, acceptDownloads: true, ...options });
  const tab = await context.newPage();
  const asked = [];
  const faults = [];
  tab.on("request", (request) => asked.push(request.url()));
  tab.on("pageerror", (error) => faults.push(String(error)));
  await tab.goto(pathToFileURL(page).href);
  await tab.waitForFunction(() => document.getElementById("target").options.length > 5);
  return { tab, asked, faults };
}

async function save(tab, called) {
  const [download] = await Promise.all([tab.waitForEvent("download"), tab.locator("#save").click()]);
  const path = join(out, called);
  await download.saveAs(path);
  return path;
}

async function telethonToPyrogram({ tab, asked, faults }) {
  await tab.setInputFiles("#file", telethon);
  await tab.waitForSelector("#found:not([hidden])");
  const facts = await tab.locator("#facts").innerText();
  assert.match(facts, /Telethon database/);
  const peers = Number(/(\d+), \d+ with names/.exec(facts)[1]);
  assert.ok(peers > 0, facts);

  await tab.selectOption("#target", "pyrogram");
  await tab.locator("#form button").click();
  await tab.waitForFunction(() => document.getElementById("error").textContent !== "");
  assert.match(await tab.locator("#error").innerText(), /user id/i, "it asks for what Pyrogram needs");

  await tab.fill("#user", "777000");
  await tab.selectOption("#bot", "user");
  await tab.fill("#api", "12345");
  await tab.selectOption("#servers", "production");
  await tab.locator("#form button").click();
  await tab.waitForSelector("#made:not([hidden])");
  assert.match(await tab.locator("#result").innerText(), new RegExp(`${peers} of ${peers} peers`));
  const path = await save(tab, "pyrogram.session");
  assert.equal((await readFile(path)).subarray(0, 15).toString(), "SQLite format 3");
  assert.deepEqual(faults, []);
  const outside = asked.filter((url) => !/^(file|data|blob):/.test(url));
  assert.deepEqual(outside, [], "the page asks for nothing");
  const sent = await tab.evaluate(() => fetch("https://example.org/").then(() => "sent", (error) => error.message));
  assert.notEqual(sent, "sent", "its policy lets nothing out");
  console.log(`ok: Telethon to Pyrogram with ${peers} peers, ${(await stat(path)).size} bytes`);
}

async function stringsByKeyboard({ tab, faults }) {
  await tab.setInputFiles("#file", telethon);
  await tab.waitForSelector("#making:not([hidden])");
  await tab.selectOption("#target", { label: "a Telethon string" }).catch(() => tab.selectOption("#target", { value: "string:a Telethon string" }));
  await tab.locator("#form button").focus();
  await tab.keyboard.press("Enter");
  await tab.waitForSelector("#string:not([hidden])");
  const string = await tab.inputValue("#output");
  assert.match(string, /^1[A-Za-z0-9_=-]{300,}$/);

  await tab.locator("#text").focus();
  await tab.keyboard.insertText(string);
  await tab.keyboard.press("Tab");
  await tab.keyboard.press("Enter");
  await tab.waitForFunction(() => /Telethon string/.test(document.getElementById("facts").innerText));
  await tab.fill("#text", "no session");
  await tab.locator("#look").click();
  await tab.waitForFunction(() => document.getElementById("error").textContent !== "");
  assert.ok(await tab.locator("#found").isHidden(), "nothing of the last session is left on the page");
  assert.deepEqual(faults, []);
  console.log("ok: a string out and in, by keyboard");
}

async function looks() {
  for (const [scheme, width] of [["light", 360], ["dark", 360], ["light", 1200], ["dark", 1200]]) {
    const { tab } = await open({ colorScheme: scheme, viewport: { width, height: 900 } });
    await tab.setInputFiles("#file", telethon);
    await tab.waitForSelector("#making:not([hidden])");
    const over = await tab.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(over <= 0, `${scheme}, ${width} wide: ${over} pixels too wide`);
    const ground = await tab.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.equal(/rgb\((\d+)/.exec(ground)[1] < 128, scheme === "dark", ground);
    await tab.screenshot({ path: join(out, `${scheme}-${width}.png`), fullPage: true });
    await tab.context().close();
  }
  console.log("ok: dark and light, narrow and wide");
}

try {
  await telethonToPyrogram(await open());
  await stringsByKeyboard(await open());
  await looks();
} finally {
  await browser.close();
}
