// GramJS opens what we wrote, finds a peer, writes one more, and finds it after a restart.
const assert = require("assert");
const bigInt = require("big-integer");
const { Api } = require("telegram");
const { StoreSession } = require("telegram/sessions");

const [name, keyHead] = process.argv.slice(2);

(async () => {
  const session = new StoreSession(name);
  await session.load();
  assert.strictEqual(session.dcId, 2);
  assert.strictEqual(session.serverAddress, "149.154.167.51");
  assert.strictEqual(session.port, 443);
  assert(session.authKey.getKey().toString("hex").startsWith(keyHead));
  const alice = session.getInputEntity(bigInt("111000111"));
  assert.strictEqual(alice.accessHash.toString(), "1234567890123456789");
  const channel = session.getInputEntity(bigInt("-1001500000001"));
  assert.strictEqual(channel.className, "InputPeerChannel");
  assert.strictEqual(channel.accessHash.toString(), "5555555555555555");
  await session.processEntities([
    new Api.User({
      id: bigInt(999000999),
      accessHash: bigInt(-77),
      firstName: "New",
      username: "brand_new",
    }),
  ]);
  session.save();
  const again = new StoreSession(name);
  await again.load();
  assert(again.authKey.getKey().toString("hex").startsWith(keyHead));
  assert.strictEqual(again.dcId, 2);
  const added = again.getInputEntity(bigInt(999000999));
  assert.strictEqual(added.accessHash.toString(), "-77");
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
