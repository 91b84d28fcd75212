#!/bin/sh
# Create .venv with the given Python. Debian and Ubuntu keep `venv` in a package of its own.
set -eu
python=${1:-python3}
command -v "$python" >/dev/null || { echo "There is no $python here; install Python 3.11 or newer." >&2; exit 1; }
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$python is older than Python 3.11." >&2; exit 1; }
if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    package="python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
    echo "$python cannot make virtual environments; installing $package …"
    if [ "$(id -u)" = 0 ]; then sudo=; else sudo=sudo; fi
    { $sudo apt-get update -qq && $sudo apt-get install -y -qq "$package"; } ||
        { echo "Install it yourself, then try again: apt-get install $package" >&2; exit 1; }
fi
rm -rf .venv
"$python" -m venv .venv
