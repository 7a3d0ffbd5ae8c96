// The salt that mtcute wrote has come through our reader and writer.
import assert from "node:assert";
import { TelegramClient } from "@mtcute/node";

const client = new TelegramClient({ apiId: 1, apiHash: "0".repeat(32), storage: process.argv[2] });
await client.prepare();
const storage = client.mt?.storage ?? client._client.mt.storage;
const salts = await storage.salts.fetch(2);
assert.strictEqual(salts.length, 1);
assert.strictEqual(salts[0].salt.toString(), "-123456789012345678");
await client.destroy();
