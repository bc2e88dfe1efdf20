// Sends every kind of call through an unmodified server client: vendor host key batch-size gzip count.
const [vendor, host, key, size, gzip, count] = process.argv.slice(2);

const segment = () => analytics("@segment/analytics-node");
const customerio = () => analytics("@customerio/cdp-analytics-node");

async function analytics(name) {
  const { Analytics } = require(name);
  const client = new Analytics({ writeKey: key, host, maxEventsInBatch: Number(size) });
  client.on("error", (error) => { console.error(error); process.exitCode = 1; });
  calls(client);
  await client.closeAndFlush();
}

async function rudder() {
  const Analytics = require("@rudderstack/rudder-sdk-node");
  const client = new Analytics(key, {
    dataPlaneUrl: host, flushAt: Number(size), gzip: gzip === "true", flushInterval: 200,
    errorHandler: (error) => { console.error(error); process.exitCode = 1; },
  });
  const sent = [];
  const waiting = new Proxy(client, {
    get: (_, name) => (message) => {
      sent.push(new Promise((done) => client[name](message, done)));
    },
  });
  calls(waiting);
  await client.flush();
  await Promise.all(sent);
}

function calls(client) {
  client.identify({ userId: "ada", traits: { email: "ada@example.org" } });
  client.group({ userId: "ada", groupId: 17 });
  client.page({ userId: "ada", name: "Home" });
  client.screen({ userId: "ada", name: "Start" });
  client.alias({ userId: "ada", previousId: "anon-1" });
  for (let n = 0; n < Number(count); n += 1) {
    client.track({ anonymousId: "anon-1", event: "Counted", properties: { n } });
  }
}

({ segment, customerio, rudder })[vendor]().then(() => process.exit());
