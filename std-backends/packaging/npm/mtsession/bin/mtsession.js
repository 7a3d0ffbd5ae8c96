#!/usr/bin/env node
// Starts the command that the package for this system brings. It is not on the way of anything secret: the
// session goes from the file to the command.
"use strict";

const { spawnSync } = require("node:child_process");
const { constants } = require("node:os");

const system = `@mtsession/${process.platform}-${process.arch}`;
const program = process.platform === "win32" ? "mtsession.exe" : "mtsession";

let path;
try {
  path = require.resolve(`${system}/${program}`);
} catch {
  console.error(
    `mtsession: the package ${system} is not installed. Either npm was told to leave out optional dependencies, or ` +
      `there is none for this system: then \`cargo install mtsession --features cli\` builds the command.`,
  );
  process.exit(1);
}

const ended = spawnSync(path, process.argv.slice(2), { stdio: "inherit", windowsHide: true });
if (ended.error) {
  console.error(`mtsession: ${path} does not start: ${ended.error.message}`);
  process.exit(1);
}
process.exit(ended.status ?? 128 + constants.signals[ended.signal]);
