// Opens a page in a real browser, prints what it leaves in window.outcome, and closes the browser
// when its own input ends: chromium profile url.
const { chromium } = require("playwright-core");
const [executablePath, profile, url] = process.argv.slice(2);
const args = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];

(async () => {
  const context = await chromium.launchPersistentContext(profile, { executablePath, args });
  const page = await context.newPage();
  const seen = [];
  page.on("console", (message) => seen.push(message.text()));
  page.on("pageerror", (error) => seen.push(String(error)));
  page.on("requestfailed", (request) => seen.push(`${request.url()} ${request.failure().errorText}`));
  await page.goto(url);
  try {
    await page.waitForFunction(() => window.outcome, null, { timeout: 60000 });
    console.log(JSON.stringify({ outcome: await page.evaluate(() => window.outcome), seen }));
  } catch (error) {
    console.log(JSON.stringify({ outcome: null, seen: [...seen, String(error)] }));
  }
  process.stdin.resume();
  await new Promise((done) => process.stdin.on("end", done));
  await context.close();
})();
