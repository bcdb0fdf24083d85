// Sends what tests/support/sdks.py describes through one of the vendors' SDKs: `node send.mjs '{"sdk": …}'`.
import { createRequire } from "node:module";

const told = JSON.parse(process.argv[2]);
const require = createRequire(`${told.modules}/`);
const { host, key, user, account, traits, events } = told;

const sdks = {
  async "@segment/analytics-node"() {
    const { Analytics } = require("@segment/analytics-node");
    const client = new Analytics({ writeKey: key, host, flushAt: 2, maxRetries: 10 });
    client.group({ userId: user, groupId: account, traits });
    for (const event of events) client.track({ userId: user, event });
    await client.closeAndFlush({ timeout: 40000 });
  },
  async "@rudderstack/rudder-sdk-node"() {
    const RudderAnalytics = require("@rudderstack/rudder-sdk-node");
    const client = new (RudderAnalytics.default ?? RudderAnalytics)(key, { dataPlaneUrl: host, flushAt: 2 });
    client.group({ userId: user, groupId: account, traits });
    for (const event of events) client.track({ userId: user, event });
    await client.flush();
  },
  async "analytics-node"() {
    const Analytics = require("analytics-node");
    const client = new Analytics(key, { host, flushAt: 2 });
    client.group({ userId: user, groupId: account, traits });
    for (const event of events) client.track({ userId: user, event });
    await client.flush();
  },
  async "posthog-node"() {
    const { PostHog } = require("posthog-node");
    const client = new PostHog(key, { host, flushAt: 2, fetchRetryCount: 10, fetchRetryDelay: 200 });
    client.groupIdentify({ groupType: "company", groupKey: account, properties: traits });
    for (const event of events) client.capture({ distinctId: user, event, groups: { company: account } });
    await client.shutdown(40000);
  },
};

await sdks[told.sdk]();
