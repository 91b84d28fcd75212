#!/bin/sh
# A browser for the browser tests: one that is here, else Debian's, else Playwright's own.
set -u
python=$1
for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null && exit 0
done
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq chromium >/dev/null; then
    exit 0
fi
"$python" -m playwright install chromium ||
    echo "No browser could be installed: the browser tests will be skipped." >&2
