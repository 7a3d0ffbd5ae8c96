// mtcute opens what we wrote, finds the peers, writes one more, and finds it after a restart.
import assert from "node:assert";
import { Long, TelegramClient } from "@mtcute/node";

const [path, keyHead] = process.argv.slice(2);

const open = async () => {
  const client = new TelegramClient({ apiId: 1, apiHash: "0".repeat(32), storage: path });
  await client.prepare();
  return client;
};

let client = await open();
const storage = client.mt?.storage ?? client._client.mt.storage;
const dcs = await storage.dcs.fetch();
assert.strictEqual(dcs.main.id, 2);
assert.strictEqual(dcs.main.ipAddress, "149.154.167.51");
assert.strictEqual(dcs.main.port, 443);
const key = await storage.provider.authKeys.get(2);
assert(Buffer.from(key).toString("hex").startsWith(keyHead));
const self = await client.storage.self.fetch();
assert.strictEqual(self.userId, 123456789);
assert.strictEqual(self.isBot, false);
assert.strictEqual(await client.storage.updates.getChannelPts(1500000001), 4321);
const state = await client.storage.updates.getState();
assert.deepStrictEqual([state[0], state[1], state[3]], [100123, 45, 678]);

const alice = await client.storage.peers.getById(111000111);
assert.strictEqual(alice.accessHash.toString(), "1234567890123456789");
const channel = await client.storage.peers.getById(-1001500000001);
assert.strictEqual(channel.accessHash.toString(), "5555555555555555");
const giga = await client.storage.peers.getById(-1002400000003);
assert.strictEqual(giga._, "inputPeerChannel");
const chat = await client.storage.peers.getById(-77001);
assert.strictEqual(chat._, "inputPeerChat");
// Names older than a day are asked for again: what counts is that they are there.
const named = await client.storage.provider.peers.getByUsername("alice_0");
assert.strictEqual(named.id, 111000111);
assert.strictEqual((await client.storage.peers.getByPhone("15550001000")).userId, 111000111);
const group = await client.storage.peers.getCompleteById(-1001600000002);
assert.strictEqual(group.megagroup, true);
const user = await client.storage.peers.getCompleteById(111000111);
assert.strictEqual(user.phone, "15550001000");
assert.strictEqual((await client.storage.peers.getCompleteById(-77001))._, "chat");

await client.storage.peers.updatePeersFrom({
  _: "user",
  id: 999000999,
  accessHash: Long.fromNumber(-77),
  firstName: "New",
  username: "brand_new",
});
await storage.salts.store(2, [
  { _: "mt_future_salt", validSince: 1, validUntil: 2, salt: Long.fromString("-123456789012345678") },
]);
await client.destroy();
client = await open();
const added = await client.storage.peers.getByUsername("brand_new");
assert.strictEqual(added.accessHash.toNumber(), -77);
await client.destroy();
