// better-auth's API-key plugin behind node:http: POST /verify {"key": "…"} answers {"valid": true, …}.
//
//   node server.mjs MODE FOLDER KEYS
//
// MODE is one of
//   installed  keys in SQLite, as the plugin is without options
//   memory     keys in secondary storage, which is a Map of this process
//   deferred   the same, and what a verification writes is written after the answer
//
// The plugin's limit of 10 requests a day for each key is raised in "installed", where counting is part of a
// verification, and off in the others. Prints "ready URL" once KEYS keys lie in FOLDER/keys.txt.
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { apiKey } from "@better-auth/api-key";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import Database from "better-sqlite3";

const [mode, folder, keys] = process.argv.slice(2);
const kept = new Map();
const memory = {
  get: (key) => kept.get(key) ?? null,
  getAndDelete: (key) => {
    const value = kept.get(key) ?? null;
    kept.delete(key);
    return value;
  },
  increment: (key) => {
    const value = Number(kept.get(key) ?? 0) + 1;
    kept.set(key, String(value));
    return value;
  },
  set: (key, value) => void kept.set(key, value),
  delete: (key) => void kept.delete(key),
};
const plugins = {
  installed: { rateLimit: { enabled: true, timeWindow: 86_400_000, maxRequests: 1_000_000_000 } },
  memory: { storage: "secondary-storage", customStorage: memory, rateLimit: { enabled: false } },
  deferred: { storage: "secondary-storage", customStorage: memory, rateLimit: { enabled: false }, deferUpdates: true },
};
if (!(mode in plugins)) throw new Error(`no such mode: ${mode}`);

const database = new Database(join(folder, "better-auth.db"));
database.pragma("journal_mode = WAL");
const auth = betterAuth({
  baseURL: "http://127.0.0.1",
  secret: "only-for-a-measurement-on-loopback-0123456789",
  database,
  emailAndPassword: { enabled: true },
  logger: { disabled: true },
  telemetry: { enabled: false },
  advanced: { backgroundTasks: { handler: () => {} } },
  plugins: [apiKey(plugins[mode])],
});

async function makeKeys(count) {
  const migrations = await getMigrations(auth.options);
  await migrations.runMigrations();
  const { user } = await auth.api.signUpEmail({
    body: { email: "bench@example.org", password: "only-for-a-measurement", name: "bench" },
  });
  const made = [];
  for (let number = 0; number < count; ++number) {
    const { key } = await auth.api.createApiKey({ body: { userId: user.id, name: `bench-${number}` } });
    made.push(key);
  }
  writeFileSync(join(folder, "keys.txt"), `${made.join("\n")}\n`, { mode: 0o600 });
}

function answer(response, status, body) {
  const text = JSON.stringify(body);
  response.writeHead(status, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(text) });
  response.end(text);
}

const server = createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", async () => {
    try {
      const { key } = JSON.parse(Buffer.concat(parts).toString());
      const { valid, error } = await auth.api.verifyApiKey({ body: { key } });
      answer(response, 200, valid ? { valid } : { valid, error });
    } catch (error) {
      answer(response, 500, { error: String(error) });
    }
  });
});
server.keepAliveTimeout = 600_000;

await makeKeys(Number(keys));
server.listen(0, "127.0.0.1", () => console.log(`ready http://127.0.0.1:${server.address().port}`));
process.on("SIGTERM", () => process.exit(0));
