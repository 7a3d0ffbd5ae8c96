#!/usr/bin/env bash
# Makes the npm packages: the small one that people name, or the one with the command for one system.
#
#   ./pack.sh OUT                            mtsession
#   ./pack.sh OUT linux-x64 PROGRAM          @mtsession/linux-x64, with this program in it
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$(realpath "$1")
version=$(node -p "require('$here/mtsession/package.json').version")
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
cp "$here/../../../LICENSE-MIT" "$here/../../../LICENSE-APACHE" "$here/../README.md" "$work"
if [ $# = 1 ]; then
    cp -r "$here/mtsession/." "$work"
else
    cp "$3" "$work"
    chmod 755 "$work/$(basename "$3")"
    cat >"$work/package.json" <<JSON
{
  "name": "@mtsession/$2",
  "version": "$version",
  "description": "The command mtsession for $2, which the package mtsession starts",
  "license": "MIT OR Apache-2.0",
  "repository": "github:mtsession/mtsession",
  "preferUnplugged": true,
  "os": ["${2%-*}"],
  "cpu": ["${2#*-}"]
}
JSON
fi
cd "$work"
npm pack --silent --pack-destination "$out"
