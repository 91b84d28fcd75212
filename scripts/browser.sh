#!/bin/sh
# A browser for the browser tests: one that is here and starts, else Debian's, else Playwright's own.
set -u
python=$1
starts() { # Ubuntu's package is an empty shell around a snap, which containers lack
    for name in chromium chromium-browser google-chrome; do
        "$name" --version >/dev/null 2>&1 && return 0
    done
    return 1
}
starts && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq && apt-get install -y -qq chromium >/dev/null && starts && exit 0
    "$python" -m playwright install --with-deps chromium && exit 0
fi
"$python" -m playwright install chromium ||
    echo "No browser could be installed: the browser tests will be skipped, and fail in CI." >&2
