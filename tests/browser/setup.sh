#!/usr/bin/env bash
# What the browser tests need, on a new machine too: Debian's Chromium, and the app of tests/app built twice (two releases).
# Run again, it does only what is missing.
set -euo pipefail
cd "$(dirname "$0")/../app"

if ! command -v chromium >/dev/null; then
  sudo=()
  [ "$(id -u)" = 0 ] || sudo=(sudo)
  "${sudo[@]}" apt-get update -q
  "${sudo[@]}" apt-get install -q -y --no-install-recommends chromium
fi

stamp=node_modules/.installed
if [ ! -e "$stamp" ] || [ package-lock.json -nt "$stamp" ]; then
  npm ci --no-audit --no-fund
  touch "$stamp"
fi

built=dist/.built
if [ ! -e "$built" ] || [ -n "$(find . -path ./node_modules -prune -o -path ./dist -prune -o -type f -newer "$built" -print -quit)" ]; then
  rm -rf dist
  APP_RELEASE=1 APP_OUT=dist/1 npm run --silent build
  APP_RELEASE=2 APP_OUT=dist/2 npm run --silent build
  touch "$built"
fi
